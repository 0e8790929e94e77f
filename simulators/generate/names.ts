/** Names for the streets of a small French town, by the kind of street; the generator deals them out without repeating. */
export const TOWNS = [
  "Valbrume-sur-Aure",
  "Saint-Aubin-la-Vère",
  "Montfleury-le-Vieux",
  "Clairefontaine-en-Brenne",
  "Beaurepas-sur-Indre",
  "Roquevive-les-Ormes",
] as const;

export const AVENUES = [
  "Avenue de la Gare",
  "Avenue Jean-Jaurès",
  "Avenue de Paris",
  "Avenue du Général-de-Gaulle",
  "Avenue Gambetta",
  "Avenue des Tilleuls",
  "Avenue Pasteur",
  "Avenue de Bourgogne",
  "Avenue Aristide-Briand",
] as const;

export const HIGH_STREETS = [
  "Grande Rue",
  "Rue de la République",
  "Rue Nationale",
  "Rue du Commerce",
  "Rue du Pont",
  "Rue Saint-Jean",
  "Rue de l’Hôtel-de-Ville",
  "Rue des Marchands",
  "Rue Notre-Dame",
] as const;

export const BOULEVARDS = [
  "Boulevard des Remparts",
  "Boulevard Carnot",
  "Boulevard Victor-Hugo",
  "Boulevard de la Liberté",
  "Boulevard du Mail",
  "Boulevard Voltaire",
] as const;

export const LANES = [
  "Rue du Puits",
  "Rue des Tanneurs",
  "Rue de l’Horloge",
  "Rue des Boulangers",
  "Rue Basse",
  "Rue Haute",
  "Rue du Four",
  "Rue des Clercs",
  "Rue de la Poterne",
  "Venelle des Cordiers",
  "Rue du Chapitre",
  "Rue aux Herbes",
  "Passage de la Halle",
  "Rue de l’Abreuvoir",
  "Rue des Trois-Rois",
  "Rue de la Tour",
  "Ruelle du Lavoir",
] as const;

export const RESIDENTIAL = [
  "Rue Victor-Hugo",
  "Rue Émile-Zola",
  "Rue Marie-Curie",
  "Rue des Écoles",
  "Rue du Stade",
  "Rue Louise-Michel",
  "Rue Jean-Moulin",
  "Rue Jules-Ferry",
  "Rue Pierre-Brossolette",
  "Rue George-Sand",
  "Rue du Moulin",
  "Rue des Vignes",
  "Rue de la Fontaine",
  "Rue du 8-Mai-1945",
  "Rue du 11-Novembre",
  "Rue Olympe-de-Gouges",
  "Rue Simone-Veil",
  "Rue Alphonse-Daudet",
  "Rue Claude-Monet",
  "Rue Berthe-Morisot",
  "Rue Hector-Berlioz",
  "Rue du Verger",
  "Rue des Peupliers",
  "Rue de la Croix-Blanche",
  "Rue du Lavoir",
  "Rue de Bel-Air",
  "Rue du Clos",
  "Rue des Jardins",
  "Rue des Noyers",
  "Rue de la Vallée",
  "Rue Ambroise-Paré",
  "Rue Camille-Claudel",
  "Rue du Calvaire",
  "Rue de l’Étang",
  "Rue Antoine-de-Saint-Exupéry",
  "Rue Jean-de-La-Fontaine",
  "Rue Molière",
  "Rue Descartes",
  "Rue de la Perrière",
  "Rue du Petit-Bois",
  "Rue Rosa-Bonheur",
  "Rue Lamartine",
  "Rue Ronsard",
  "Rue Rabelais",
  "Rue des Maraîchers",
  "Rue de la Forge",
] as const;

export const DEAD_ENDS = [
  "Impasse des Lilas",
  "Impasse des Mésanges",
  "Allée des Cerisiers",
  "Allée des Acacias",
  "Impasse du Pré",
  "Clos Saint-Martin",
  "Allée des Bleuets",
  "Impasse des Rosiers",
  "Square des Hirondelles",
  "Allée du Pigeonnier",
  "Impasse de la Source",
  "Allée des Genêts",
] as const;

export const SQUARES = ["Place du Marché", "Place de l’Église", "Place de la Halle", "Place d’Armes"] as const;

export const QUARTERS = [
  "Faubourg Saint-Jean",
  "Quartier de la Gare",
  "Les Coteaux",
  "Bel-Air",
  "Les Prés",
  "La Croix-Blanche",
  "Le Clos des Vignes",
] as const;

/** Deals names from a list in an order of chance; when the list is used up a name gets a number, so none comes twice. */
export function dealer(names: readonly string[], next: () => number): () => string {
  const order = names.map((name) => ({ name, key: next() })).sort((a, b) => a.key - b.key);
  let dealt = 0;
  return () => {
    const { name } = order[dealt % order.length] as { name: string };
    const round = Math.floor(dealt++ / order.length);
    return round === 0 ? name : `${name} ${round + 1}`;
  };
}

/** An identifier from a name: `Rue de l’Étang` becomes `rue-de-l-etang`. */
export function slug(name: string): string {
  const plain = name.normalize("NFD").replaceAll(/[\u0300-\u036f]/g, "");
  return plain
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
