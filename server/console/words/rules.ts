import type { Wording } from "../dictionary.ts";

/**
 * Why: a sentence for each rule that can decide (`rule.`), a word for it in a row (`short.`), and why something else was
 * not done (`refused.`). Names in braces are facts of the decision's evidence.
 */
export const RULES = {
  "rule.unknown": { en: "Decided by the rule “{rule}”.", fr: "Décidé par la règle « {rule} »." },
  "rule.guard": {
    en: "The guard holds this lamp at its floor: by night it is never darker, whatever anyone orders.",
    fr: "La garde tient cette lampe à son plancher : la nuit, jamais plus sombre, quel que soit l’ordre.",
  },
  "rule.override": {
    en: "A person has taken over; the machine waits until {until}.",
    fr: "Une personne a repris la main ; la machine attend jusqu’à {until}.",
  },
  "rule.presence": {
    en: "Someone is near: this lamp and its neighbours are bright, and go quiet {hold_s} after the last passage.",
    fr: "Quelqu’un est tout près : cette lampe et ses voisines sont vives, et reviennent à la veille {hold_s} après le dernier passage.",
  },
  "rule.programme": {
    en: "Nobody is near: the lamp keeps the quiet level of tonight’s programme.",
    fr: "Personne à proximité : la lampe garde le niveau de veille du programme de la nuit.",
  },
  "rule.daylight": {
    en: "It is day: the lamp is off until dusk.",
    fr: "Il fait jour : la lampe est éteinte jusqu’au crépuscule.",
  },
  "rule.class-level": {
    en: "Without a programme the lamp burns at the level of its street’s class, from its own dusk to its own dawn.",
    fr: "Sans programme, la lampe éclaire au niveau de la classe de sa rue, de son crépuscule à son aube.",
  },
  "rule.fault": { en: "The lamp reports a failure.", fr: "La lampe signale une panne." },

  "rule.class-by-traffic": {
    en: "Each hour of the night gets the lighting class that its expected traffic asks for; while nobody is near, the quiet level is enough.",
    fr: "Chaque heure de la nuit reçoit la classe d’éclairage que demande le passage attendu ; quand il n’y a personne, le niveau de veille suffit.",
  },
  "rule.class-all-night": {
    en: "Too few passages are counted to tell quiet hours from busy ones: the street keeps its class all night.",
    fr: "Trop peu de passages comptés pour distinguer heures calmes et pleines : la rue garde sa classe toute la nuit.",
  },
  "rule.no-darkness": {
    en: "The sun does not set in this time: no light is needed.",
    fr: "Le soleil ne se couche pas sur cette période : aucune lumière nécessaire.",
  },

  "rule.full": { en: "It is full: it is emptied without any sum.", fr: "Il est plein : on le vide sans autre calcul." },
  "rule.overflow-risk": {
    en: "It would likely overflow before the next round, and that costs more than coming now.",
    fr: "Il déborderait sans doute avant la prochaine tournée, ce qui coûte plus que de venir maintenant.",
  },
  "rule.too-long": {
    en: "It has not been emptied for too long, however empty it is: smell and vermin.",
    fr: "Il n’a pas été vidé depuis trop longtemps, même peu rempli : odeurs et nuisibles.",
  },
  "rule.on-the-way": {
    en: "It lies on the way, and coming now saves a later visit.",
    fr: "Il est sur le chemin, et passer maintenant épargne une visite.",
  },
  "rule.room-left": {
    en: "There is room until the next round.",
    fr: "Il reste de la place jusqu’à la prochaine tournée.",
  },
  "rule.no-time": {
    en: "The shift ends before the vehicle could come.",
    fr: "Le service se termine avant que le camion puisse venir.",
  },
  "rule.no-vehicle": {
    en: "No vehicle of this depot takes what is in it.",
    fr: "Aucun camion de ce dépôt ne prend ce flux.",
  },
  "rule.risk-against-visit": {
    en: "{visited} of {containers} containers are visited: where the risk of overflow costs more than the detour.",
    fr: "{visited} conteneurs sur {containers} sont visités : là où le risque de débordement coûte plus que le détour.",
  },
  "rule.nothing-to-collect": {
    en: "No container is worth a visit today.",
    fr: "Aucun conteneur ne mérite une visite aujourd’hui.",
  },

  "rule.frame-webster": {
    en: "The cycle follows the counted flows (Webster): {flow_veh_h} ask for {flow_ratio} of the junction’s capacity.",
    fr: "Le cycle suit les débits comptés (Webster) : {flow_veh_h} demandent {flow_ratio} de la capacité du carrefour.",
  },
  "rule.frame-minimum": {
    en: "So little traffic is counted that the shortest cycle serves everyone soonest.",
    fr: "Si peu de trafic compté que le cycle le plus court sert chacun au plus tôt.",
  },
  "rule.frame-saturated": {
    en: "More comes than the junction can pass: it runs its longest cycle and nobody waits past the bound.",
    fr: "Il arrive plus que le carrefour ne peut écouler : cycle le plus long, et personne n’attend au-delà de la limite.",
  },
  "rule.frame-uncounted": {
    en: "No loop has counted anything that can be relied on: traffic is taken to be what the fixed plan was made for.",
    fr: "Aucune boucle n’a donné de compte fiable : le trafic est supposé être celui du plan fixe.",
  },
  "rule.frame-kept": {
    en: "A new frame would save less than 3 % of the waiting: the one in force stays.",
    fr: "Un nouveau cadre épargnerait moins de 3 % d’attente : celui en vigueur reste.",
  },
  "rule.signal-fixed": {
    en: "The junction runs its fixed plan: it has no frame that is still valid.",
    fr: "Le carrefour déroule son plan fixe : aucun cadre encore valable.",
  },
  "rule.signal-flash": {
    en: "The junction flashes amber: priority is by the signs.",
    fr: "Le carrefour est à l’orange clignotant : priorité selon les panneaux.",
  },

  "rule.override.create": { en: "A person has taken over: {reason}", fr: "Une personne a repris la main : {reason}" },
  "rule.policy-change": {
    en: "An administrator changed how this policy acts.",
    fr: "Un administrateur a changé la portée de cette politique.",
  },
  "rule.override.release": { en: "A person gave it back to the machine.", fr: "Une personne l’a rendu à la machine." },
  "rule.override.expire": { en: "The time of the override was over.", fr: "La durée de la reprise était écoulée." },

  "short.guard": { en: "guard", fr: "garde" },
  "short.override": { en: "by hand", fr: "à la main" },
  "short.override.create": { en: "by hand", fr: "à la main" },
  "short.override.release": { en: "given back", fr: "rendu" },
  "short.override.expire": { en: "run out", fr: "échu" },
  "short.presence": { en: "someone is near", fr: "quelqu’un est là" },
  "short.programme": { en: "nobody near", fr: "personne" },
  "short.daylight": { en: "daylight", fr: "jour" },
  "short.class-level": { en: "class level", fr: "niveau de classe" },
  "short.fault": { en: "failure", fr: "panne" },
  "short.no": { en: "no", fr: "non" },
  "short.yes": { en: "yes", fr: "oui" },
  "short.adaptive": { en: "adaptive", fr: "adaptatif" },
  "short.frame": { en: "frame", fr: "cadre" },
  "short.fixed": { en: "fixed plan", fr: "plan fixe" },
  "short.flash": { en: "flashing amber", fr: "orange clignotant" },
  "short.class-by-traffic": { en: "class by traffic", fr: "classe selon le passage" },
  "short.class-all-night": { en: "class all night", fr: "classe toute la nuit" },
  "short.no-darkness": { en: "no darkness", fr: "pas de nuit" },
  "short.full": { en: "full", fr: "plein" },
  "short.overflow-risk": { en: "would overflow before the next round", fr: "déborderait avant la prochaine tournée" },
  "short.too-long": { en: "not emptied for too long", fr: "pas vidé depuis trop longtemps" },
  "short.on-the-way": { en: "lies on the way", fr: "sur le chemin" },
  "short.room-left": { en: "room left until the next round", fr: "de la place jusqu’à la prochaine tournée" },
  "short.no-time": { en: "no time left in the shift", fr: "plus de temps dans le service" },
  "short.no-vehicle": { en: "no vehicle takes it", fr: "aucun camion ne prend ce flux" },
  "short.risk-against-visit": { en: "risk against detour", fr: "risque contre détour" },
  "short.nothing-to-collect": { en: "nothing to collect", fr: "rien à collecter" },
  "short.frame-webster": { en: "by counted flows", fr: "selon les débits comptés" },
  "short.frame-minimum": { en: "shortest cycle", fr: "cycle le plus court" },
  "short.frame-saturated": { en: "saturated", fr: "saturé" },
  "short.frame-uncounted": { en: "nothing counted", fr: "rien de compté" },
  "short.frame-kept": { en: "kept", fr: "gardé" },
  "short.signal-fixed": { en: "fixed plan", fr: "plan fixe" },
  "short.signal-flash": { en: "flashing amber", fr: "orange clignotant" },
  "short.policy-change": { en: "policy changed", fr: "politique changée" },
  "short.residential": { en: "residential street", fr: "rue résidentielle" },
  "short.primary": { en: "main road", fr: "route principale" },
  "short.secondary": { en: "secondary road", fr: "route secondaire" },
  "short.tertiary": { en: "local road", fr: "route locale" },
  "short.unclassified": { en: "minor road", fr: "petite route" },
  "short.pedestrian": { en: "pedestrian street", fr: "rue piétonne" },
  "short.living_street": { en: "living street", fr: "zone de rencontre" },
  "short.service": { en: "service road", fr: "voie de desserte" },
  "short.footway": { en: "footway", fr: "chemin piéton" },
  "short.cycleway": { en: "cycleway", fr: "piste cyclable" },
  "short.path": { en: "path", fr: "sentier" },

  "refused.uses-more-energy": { en: "takes more energy", fr: "consomme plus" },
  "refused.below-class": {
    en: "falls below the class that the standard asks for",
    fr: "descend sous la classe que demande la norme",
  },
  "refused.below-floor": { en: "falls below the floor", fr: "descend sous le plancher" },
  "refused.takes-longer": { en: "takes longer", fr: "prend plus de temps" },
  "refused.overflows-more": { en: "lets more overflow", fr: "laisse déborder davantage" },
  "refused.override": { en: "a person has taken over", fr: "une personne a repris la main" },
  "refused.guard": { en: "the guard allows nothing darker", fr: "la garde n’admet rien de plus sombre" },
  "refused.more-delay": { en: "makes people wait longer", fr: "fait attendre davantage" },
  "refused.saves-too-little": { en: "saves less than 3 % of the waiting", fr: "épargne moins de 3 % d’attente" },
  "refused.red-too-long": { en: "leaves someone at red for over 120 s", fr: "laisse quelqu’un au rouge plus de 120 s" },
  "refused.fixed plan: more delay, or no reason to leave the counts unused": {
    en: "the fixed plan makes people wait longer, or leaves the counts unused",
    fr: "le plan fixe fait attendre davantage, ou ignore les comptages",
  },
  "refused.saves less than 3 % of the delay": {
    en: "saves less than 3 % of the waiting",
    fr: "épargne moins de 3 % d’attente",
  },
  "refused.frame it had before: more delay": {
    en: "the frame before makes people wait longer",
    fr: "le cadre précédent fait attendre davantage",
  },
  "option.class-all-night": { en: "Class {name} all night", fr: "Classe {name} toute la nuit" },
  "option.class-in-quiet": { en: "Class {name} in the quietest hours", fr: "Classe {name} aux heures les plus calmes" },
  "option.every container": { en: "Every container", fr: "Tous les conteneurs" },
  "option.nobody comes today": { en: "Nobody comes today", fr: "Personne ne passe aujourd’hui" },
  "option.savings without search": {
    en: "The first rounds, without searching for better ones",
    fr: "Les premières tournées, sans en chercher de meilleures",
  },
  "option.classes by traffic, never idle": {
    en: "Classes by traffic, never quieter when nobody is near",
    fr: "Classes selon le passage, sans veille quand il n’y a personne",
  },
  "option.off when nobody is near": { en: "Off when nobody is near", fr: "Éteint quand il n’y a personne" },
} as const satisfies Record<string, Wording>;
