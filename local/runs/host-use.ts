import type { InstanceHistory } from "../ec2/types.ts";
import { levels, peakChannels } from "../voice/carrier/record.ts";
import type { CarrierCall } from "../voice/types.ts";

/** EC2 bills at least so much of each start. */
const BILLED_AT_LEAST_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What one burst host was paid for and used for. */
export interface HostUse {
	hostId: string;
	/** Seconds for which its instance ran. */
	billedSec: number;
	/** Of these, without a call in the carrier's record. */
	idleSec: number;
	costUsd: number;
}

/** Milliseconds of a stretch during which there was at least one call. */
const busyMs = (calls: readonly CarrierCall[], fromMs: number, toMs: number): number =>
	levels(calls, toMs).reduce(
		(sum, level) =>
			level.calls > 0 ? sum + Math.max(0, Math.min(level.toMs, toMs) - Math.max(level.fromMs, fromMs)) : sum,
		0,
	);

/** Use and cost of one instance, by EC2's history and the carrier's record of the calls from its address. Pure. */
export const useOf = (
	history: InstanceHistory,
	host: { hostId: string; usdPerHour: number },
	calls: readonly CarrierCall[],
	nowMs: number,
): HostUse => {
	let billedMs = 0;
	let paidMs = 0;
	let idleMs = 0;
	for (const { fromMs, toMs = nowMs } of history.billed) {
		billedMs += toMs - fromMs;
		paidMs += Math.max(BILLED_AT_LEAST_MS, toMs - fromMs);
		idleMs += toMs - fromMs - busyMs(calls, fromMs, toMs);
	}
	return {
		hostId: host.hostId,
		billedSec: billedMs / 1_000,
		idleSec: idleMs / 1_000,
		costUsd: (paidMs / HOUR_MS) * host.usdPerHour,
	};
};

/** The most calls that each host had at once, by the address that the carrier saw. */
export const peakByAddress = (calls: readonly CarrierCall[], nowMs: number): Map<string, number> => {
	const byAddress = new Map<string, CarrierCall[]>();
	for (const call of calls) byAddress.set(call.from, [...(byAddress.get(call.from) ?? []), call]);
	return new Map([...byAddress].map(([address, own]) => [address, peakChannels(own, nowMs)]));
};
