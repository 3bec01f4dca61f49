import { randomBytes } from "node:crypto";

/** As EC2 makes them: `i-0` and sixteen hexadecimal digits. */
export const newId = (prefix: string): string => `${prefix}-0${randomBytes(8).toString("hex")}`;
