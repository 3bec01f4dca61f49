import { realPlane } from "./real/plane.ts";
import { VoiceError } from "./real/voice-error.ts";
import type { VoicePlane } from "./types.ts";

/**
 * Real Asterisk where it works, else the simulated one; `note` says which and why.
 * @param options.kind insists on one
 * @param options.say where progress goes (fetching takes some seconds the first time)
 * @throws VoiceError where `real` is insisted on and cannot be had
 */
export const chooseVoicePlane = async (
	options: { kind?: "real" | "simulated" | undefined; say?: (line: string) => void } = {},
): Promise<VoicePlane> => {
	if (options.kind === "simulated") return await simulated("as asked for");
	try {
		return await realPlane(options.say);
	} catch (error) {
		if (options.kind === "real" || !(error instanceof VoiceError)) throw error;
		return await simulated(`real Asterisk cannot be had here: ${error.message}`);
	}
};

/** Loaded only where it is used. */
const simulated = async (why: string): Promise<VoicePlane> => {
	const { simulatedPlane } = await import("./simulated/plane.ts");
	const plane: VoicePlane = simulatedPlane();
	return {
		kind: plane.kind,
		note: `${plane.note}: ${why}`,
		startHost: (options) => plane.startHost(options),
		prepareHost: (options) => plane.prepareHost(options),
		startCarrier: (options) => plane.startCarrier(options),
	};
};
