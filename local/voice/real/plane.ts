import { startSipp } from "../carrier/sipp.ts";
import type { VoicePlane } from "../types.ts";
import { prepareAsterisk, startAsterisk } from "./asterisk.ts";
import { describePrograms, providePrograms } from "./fetch.ts";

/**
 * Real Asterisk, and SIPp as the carrier.
 * @param say where progress goes, for people
 * @throws VoiceError where they cannot be had on this machine
 */
export const realPlane = async (say: (line: string) => void = () => undefined): Promise<VoicePlane> => {
	const programs = await providePrograms({ say });
	return {
		kind: "real",
		note: describePrograms(programs),
		startHost: (options) => startAsterisk(programs.asterisk, options),
		prepareHost: (options) => prepareAsterisk(programs.asterisk, options),
		startCarrier: (options) => startSipp(programs.sipp, options),
	};
};
