import type { Wording } from "../dictionary.ts";

/** The frame of the page: where one is, what one can do anywhere, what is wrong with the page itself. */
export const PAGE = {
  "page.title": { en: "Vigie · {town}", fr: "Vigie · {town}" },
  "page.skip": { en: "Skip to the content", fr: "Aller au contenu" },
  "page.views": { en: "Views", fr: "Vues" },
  "page.more": { en: "More", fr: "Plus" },
  "page.close": { en: "Close", fr: "Fermer" },
  "page.back": { en: "Back", fr: "Retour" },
  "page.loading": { en: "Reading…", fr: "Lecture…" },
  "page.again": { en: "Try again", fr: "Réessayer" },
  "page.older": { en: "Show older ones", fr: "Voir les précédentes" },
  "page.offline": {
    en: "The server does not answer since {time}. What you see is as it was then; the street goes on by itself.",
    fr: "Le serveur ne répond plus depuis {time}. Vous voyez l’état d’alors ; la rue continue seule.",
  },
  "page.preparing": {
    en: "The town is living its last days: {percent} laid down. Figures come as soon as it is done.",
    fr: "La ville revit ses derniers jours : {percent} faits. Les chiffres arrivent dès que c’est fini.",
  },
  "page.waits": {
    en: "{problem} The town goes on by itself as soon as it answers.",
    fr: "{problem} La ville continue d’elle-même dès qu’il répond.",
  },
  "page.replaying": { en: "You see the town at {time}.", fr: "Vous voyez la ville à {time}." },
  "page.back-to-now": { en: "Back to now", fr: "Revenir à maintenant" },
  "page.absent": { en: "There is no such page.", fr: "Cette page n’existe pas." },
  "page.nothing-found": { en: "Nothing fits this search.", fr: "Rien ne correspond à cette recherche." },
  "page.search": { en: "Search", fr: "Chercher" },
  "page.town": { en: "The town", fr: "La ville" },
  "page.column": { en: "Details", fr: "Détails" },
  "page.said": { en: "Announcements", fr: "Annonces" },

  "view.now": { en: "Now", fr: "Maintenant" },
  "view.alarms": { en: "Alarms", fr: "Alarmes" },
  "view.rounds": { en: "Rounds", fr: "Tournées" },
  "view.junctions": { en: "Junctions", fr: "Carrefours" },
  "view.decisions": { en: "Decisions", fr: "Décisions" },
  "view.devices": { en: "Devices", fr: "Appareils" },
  "view.trials": { en: "Trials", fr: "Essais" },
  "view.settings": { en: "Settings", fr: "Réglages" },
  "view.map": { en: "Map", fr: "Carte" },
  "view.list": { en: "List", fr: "Liste" },
  "view.sign-in": { en: "Sign in", fr: "Connexion" },

  "service.lighting": { en: "Lighting", fr: "Éclairage" },
  "service.waste": { en: "Waste", fr: "Déchets" },
  "service.traffic": { en: "Traffic", fr: "Circulation" },
  "service.health": { en: "Health", fr: "Santé" },
  "service.environment": { en: "Environment", fr: "Environnement" },

  "keys.title": { en: "Keys", fr: "Touches" },
  "keys.open": { en: "Keys: ?", fr: "Touches : ?" },
  "keys.view": { en: "Go to a view: its number", fr: "Aller à une vue : son numéro" },
  "keys.list": { en: "Map or list", fr: "Carte ou liste" },
  "keys.search": { en: "Search the list", fr: "Chercher dans la liste" },
  "keys.move": { en: "Previous or next in a list", fr: "Précédent ou suivant dans une liste" },
  "keys.why": { en: "Why? (on what has the focus)", fr: "Pourquoi ? (sur ce qui a le focus)" },
  "keys.override": { en: "Take over what the drawer shows", fr: "Reprendre la main sur ce que montre le volet" },
  "keys.close": { en: "Close the drawer or this help", fr: "Fermer le volet ou cette aide" },
  "keys.help": { en: "These keys", fr: "Ces touches" },

  "age.now": { en: "now", fr: "à l’instant" },
  "age.ago": { en: "{age} ago", fr: "il y a {age}" },
  "age.left": { en: "{age} left", fr: "encore {age}" },

  "problem.network": {
    en: "The server did not answer. Check the connection; the page tries again by itself.",
    fr: "Le serveur n’a pas répondu. Vérifiez la connexion ; la page réessaie d’elle-même.",
  },
  "problem.map": {
    en: "This browser cannot draw the map (no WebGL). The list says the same.",
    fr: "Ce navigateur ne peut pas dessiner la carte (pas de WebGL). La liste dit la même chose.",
  },
} as const satisfies Record<string, Wording>;
