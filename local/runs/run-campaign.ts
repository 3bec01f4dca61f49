import type { Stack } from "../stack/stack.ts";
import type { CarrierCall } from "../voice/types.ts";
import type { CallRecord } from "./compare.ts";

/** What a run shows while it goes on. */
export interface Progress {
	state: string;
	total: number;
	done: number;
	liveChannels: number;
	/** Attempts so far. */
	attempts: number;
}

export interface CampaignRun {
	campaignId: string;
	/** When the campaign was submitted, ms since 1970. */
	submittedAt: number;
	state: string;
	done: number;
	outcomes: Record<string, number>;
	records: CallRecord[];
	/** The carrier's calls of this run. */
	carrier: CarrierCall[];
	/** Moment of the carrier's record. */
	recordedAt: number;
}

interface CampaignView {
	state: string;
	counts: { total: number; done: number; inProgress: number };
	outcomes: Record<string, number>;
	attempts: number;
}

/** The run cannot go on; the message says what happened. */
export class RunError extends Error {
	override readonly name = "RunError";
}

const POLL_MS = 500;
const ENDED = new Set(["completed", "cancelled", "failed"]);
/** After the campaign's end: the carrier's last legs end some milliseconds after ours. */
const CARRIER_SETTLE_MS = 1_500;

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
	new Promise((done, reject) => {
		signal?.throwIfAborted();
		const timer = setTimeout(() => {
			signal?.removeEventListener("abort", stop);
			done();
		}, ms);
		const stop = (): void => {
			clearTimeout(timer);
			reject(signal?.reason);
		};
		signal?.addEventListener("abort", stop, { once: true });
	});

/** Sets caps of the stack's trunk to its carrier. */
export const setTrunk = async (stack: Stack, caps: { maxChannels: number; maxCps: number }): Promise<void> => {
	const { carrier, client } = stack;
	if (!carrier) throw new RunError("the stack has no carrier of its own");
	const answer = await client.request("PUT", "/v1/trunks/carrier", {
		type: "pjsip",
		host: carrier.address,
		port: carrier.port,
		numbering: "private",
		callerIds: ["5550100"],
		...caps,
	});
	if (answer.status >= 300) throw new RunError(`the trunk was refused: ${JSON.stringify(answer.body)}`);
};

export const showCampaign = async (stack: Stack, campaignId: string): Promise<CampaignView> => {
	const { status, body } = await stack.client.request<CampaignView>("GET", `/v1/campaigns/${campaignId}`);
	if (status !== 200) throw new RunError(`the campaign cannot be read (${status}): ${JSON.stringify(body)}`);
	return body;
};

/** All call records of a campaign. */
export const readCalls = async (stack: Stack, campaignId: string): Promise<CallRecord[]> => {
	const records: CallRecord[] = [];
	let cursor: string | undefined;
	do {
		const path = `/v1/campaigns/${campaignId}/calls${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`;
		const { status, body } = await stack.client.request<{ items: CallRecord[]; cursor?: string | null }>("GET", path);
		if (status !== 200) throw new RunError(`the calls cannot be read (${status}): ${JSON.stringify(body)}`);
		records.push(...body.items);
		cursor = body.cursor ?? undefined;
	} while (cursor);
	return records;
};

/**
 * Technical failures are tried again where a campaign says nothing of them. The local carrier says the same to a number every time, and a run is compared with what it
 * says: there each contact is called once.
 */
export const CALLED_ONCE = Object.fromEntries(
	["congestion", "trunkFailure", "hostLost"].map((outcome) => [outcome, { afterSec: 1, max: 0 }]),
);

/** Submits a campaign of these numbers. */
export const submitCampaign = async (
	stack: Stack,
	numbers: readonly string[],
	campaign: Record<string, unknown>,
): Promise<string> => {
	const { status, body } = await stack.client.request<{ campaignId: string }>("POST", "/v1/campaigns", {
		trunk: "carrier",
		retry: CALLED_ONCE,
		...campaign,
		contacts: numbers.map((number) => ({ number })),
	});
	if (status !== 201) throw new RunError(`the campaign was refused (${status}): ${JSON.stringify(body)}`);
	return body.campaignId;
};

/** Waits for a campaign's end, then reads both sides' records. */
export const awaitCampaign = async (
	stack: Stack,
	campaignId: string,
	numbers: readonly string[],
	options: { onProgress?: (progress: Progress) => void; signal?: AbortSignal } = {},
): Promise<Omit<CampaignRun, "submittedAt">> => {
	let view: CampaignView;
	for (;;) {
		view = await showCampaign(stack, campaignId);
		options.onProgress?.({
			state: view.state,
			total: view.counts.total,
			done: view.counts.done,
			liveChannels: view.counts.inProgress,
			attempts: view.attempts,
		});
		if (ENDED.has(view.state)) break;
		await pause(POLL_MS, options.signal);
	}
	await pause(CARRIER_SETTLE_MS, options.signal);
	const records = await readCalls(stack, campaignId);
	const wanted = new Set(numbers);
	const carrier = ((await stack.carrier?.calls()) ?? []).filter((call) => wanted.has(call.number));
	return {
		campaignId,
		state: view.state,
		done: view.counts.done,
		outcomes: view.outcomes,
		records,
		carrier,
		recordedAt: Date.now(),
	};
};

export const runCampaign = async (
	stack: Stack,
	numbers: readonly string[],
	campaign: Record<string, unknown>,
	options: { onProgress?: (progress: Progress) => void; signal?: AbortSignal } = {},
): Promise<CampaignRun> => {
	const submittedAt = Date.now();
	const campaignId = await submitCampaign(stack, numbers, campaign);
	return { submittedAt, ...(await awaitCampaign(stack, campaignId, numbers, options)) };
};
