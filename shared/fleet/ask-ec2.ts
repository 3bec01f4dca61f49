import type { FleetDeps } from "./deps.ts";
import { Ec2Error } from "./ec2.ts";
import { throttled } from "./failures.ts";
import { noteInFleet } from "./state.ts";

/** What is thrown by something that is no refusal of EC2: nobody knows whether it was carried out. */
export const asEc2Error = (error: unknown): Ec2Error =>
	error instanceof Ec2Error
		? error
		: new Ec2Error(
				"unknown",
				error instanceof Error ? error.name : "unknown",
				`EC2 did not answer: ${String(error)}`,
				error,
			);

/** Asks EC2 for something and tells a refusal, which is an answer too, in one log line. */
export const askEc2 = async <T>(
	deps: FleetDeps,
	what: string,
	fields: Record<string, unknown>,
	ask: () => Promise<T>,
): Promise<{ ok: true; value: T } | { ok: false; error: Ec2Error }> => {
	try {
		const value = await ask();
		deps.log.info(`fleet.${what}`, fields);
		return { ok: true, value };
	} catch (cause) {
		const error = asEc2Error(cause);
		deps.log.warn(`fleet.${what}Refused`, { ...fields, kind: error.kind, code: error.code, error });
		return { ok: false, error };
	}
};

/** Remembers that EC2 asked us to slow down. */
export const noteThrottled = async (deps: FleetDeps, tenant: string): Promise<void> => {
	const random = deps.random();
	const { throttledUntil, throttles } = await noteInFleet(deps, tenant, (fleet) =>
		throttled(fleet, deps.now(), random),
	);
	deps.log.warn("fleet.throttled", { until: throttledUntil, timesInARow: throttles });
};
