import { type BurstSettings, parseBurstSettings } from "../../shared/config/burst-settings.ts";

/** Gives a handler the settings of the burst; called at every invocation, so it must be cheap after the first. */
export type BurstRuntime = () => BurstSettings;

let read: BurstSettings | undefined;

/** The deployed settings: read once per cold start. A function is given only the variables that it needs; the others have their defaults. */
export const burstFromEnvironment: BurstRuntime = () => {
	read ??= parseBurstSettings(process.env);
	return read;
};
