/** Which files are taken: the server makes this module of its table of file kinds. */

interface Offer {
  /** For a file field. */
  accept: string;
  /** A line for people. */
  hint: string;
}

export const PORTRAIT: Offer;
export const SPEECH: Offer;
