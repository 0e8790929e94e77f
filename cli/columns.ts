/** The width of a terminal that nobody has widened. */
const COLUMNS = 80;

/** Breaks a text between words so that no line is longer than a terminal; what follows the first line is indented. */
export function folded(text: string, indent = 0): string {
  const lines: string[] = [];
  let line = "";
  // Only plain spaces part words: a French colon stays with the word before it.
  for (const word of text.split(/ (?=\S)(?![:;?!»])/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line.trim() === "" || longer.length <= COLUMNS) line = longer;
    else {
      lines.push(line);
      line = " ".repeat(indent) + word;
    }
  }
  return [...lines, line].join("\n");
}
