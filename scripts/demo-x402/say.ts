/** A line for whoever watches. */
export const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** A piece of an answer, as it arrives. */
export const sayPiece = (piece: string): void => void process.stdout.write(piece);
