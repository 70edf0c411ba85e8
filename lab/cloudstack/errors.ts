/** What CloudStack answers instead of a result. */
export class ApiFault extends Error {
  readonly errorcode: number;
  /** Absent in every 401, and in a refused login. */
  readonly cserrorcode: number | undefined;
  /** Objects that some errors name beside their text. */
  objects: { uuid: string; description: string }[] = [];

  constructor(errorcode: number, cserrorcode: number | undefined, text: string) {
    super(text);
    this.errorcode = errorcode;
    this.cserrorcode = cserrorcode;
  }
}

/** A parameter has the wrong shape. */
export const malformed = (text: string) => new ApiFault(431, 9999, text);
/** A parameter has a shape that is right and a value that is not. */
export const invalidValue = (text: string) => new ApiFault(431, 4350, text);
export const unknownCommand = (text: string) => new ApiFault(432, 9999, text);
export const failed = (text: string) => new ApiFault(530, 4250, text);
/** What the server did not expect, told as it came. */
export const unexpected = (text: string) => new ApiFault(530, 9999, text);
export const refusedLogin = (text: string) => new ApiFault(531, undefined, text);

const NOBODY = "unable to verify user credentials";
/** All ways of not being somebody have this one answer. */
export const unauthenticated = () => new ApiFault(401, undefined, `${NOBODY} and/or request signature`);
/** A session whose key is wrong; the session is dead then. */
export const wrongSession = () => new ApiFault(401, undefined, NOBODY);
