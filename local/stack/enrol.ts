import { setTimeout as delay } from "node:timers/promises";
import { trunkSchema } from "../../shared/contract/trunk.ts";
import type { Carrier } from "../voice/types.ts";
import { type ApiClient, apiClient } from "./api-client.ts";
import type { StackHost } from "./host.ts";
import { CARRIER_TRUNK, StackError } from "./options.ts";

/** Between two looks at a host that is coming up. */
const POLL_MS = 100;
/** Asterisk is up; the agent says hello within a second. A host whose disk is new waits for the recovery: half a minute and a tick. */
const ACTIVE_LIMIT_MS = 150_000;
/** The embedded carrier takes what one machine can dial: its channels bind, not its rate. */
const CARRIER_CHANNELS = 2_000;
const CARRIER_CPS = 500;
const CARRIER_CALLER_ID = "5550100";

/** Makes the trunk to the embedded carrier; one that is there keeps its settings and gets the carrier's new address. */
export const carrierTrunk = async (client: ApiClient, carrier: Carrier): Promise<void> => {
	const list = await client.request<{ items?: Record<string, unknown>[] }>("GET", "/v1/trunks");
	const standing = (list.body.items ?? []).find(({ id }) => id === CARRIER_TRUNK);
	// What is shown of a trunk is more than what is set.
	const settings = standing
		? Object.fromEntries(Object.entries(standing).filter(([name]) => name in trunkSchema.shape))
		: {
				type: "pjsip",
				numbering: "private",
				maxChannels: CARRIER_CHANNELS,
				maxCps: CARRIER_CPS,
				callerIds: [CARRIER_CALLER_ID],
			};
	const trunk = { ...settings, host: carrier.address, port: carrier.port };
	const answer = await client.request("PUT", `/v1/trunks/${CARRIER_TRUNK}`, trunk);
	if (answer.status >= 300) {
		throw new StackError(`The trunk "${CARRIER_TRUNK}" was refused (${answer.status}): ${JSON.stringify(answer.body)}`);
	}
};

/**
 * Enrols a host, or finds that it is enrolled.
 * @returns the host's token
 */
export const enrol = async (
	client: ApiClient,
	api: string,
	host: {
		hostId: string;
		capacity: number;
		/** The token of an earlier start. */
		known: string | undefined;
		say: (line: string) => void;
		makeToken: (name: string) => Promise<string>;
	},
): Promise<string> => {
	const { hostId, capacity } = host;
	const answer = await client.request<{ token?: string }>("POST", "/v1/hosts", { hostId, capacity });
	if (answer.status === 201 && answer.body.token) return answer.body.token;
	if (answer.status !== 409) {
		throw new StackError(`The host ${hostId} could not be enrolled (${answer.status}): ${JSON.stringify(answer.body)}`);
	}
	const list = await client.request<{ items?: Record<string, unknown>[] }>("GET", "/v1/hosts");
	const standing = (list.body.items ?? []).find((item) => item["hostId"] === hostId);
	if (standing && standing["capacity"] !== capacity) {
		host.say(`${hostId} was enrolled with ${standing["capacity"]} channels and keeps them.`);
	}
	if (host.known) {
		const config = await apiClient(api, host.known).request("GET", `/v1/hosts/${hostId}/config`);
		if (config.status === 200) return host.known;
	}
	return host.makeToken(`host ${hostId}`);
};

/** Waits until the host has said hello. */
export const untilActive = async (client: ApiClient, host: StackHost, checkpoint: () => void): Promise<void> => {
	const deadline = Date.now() + ACTIVE_LIMIT_MS;
	for (;;) {
		checkpoint();
		const list = await client.request<{ items?: Record<string, unknown>[] }>("GET", "/v1/hosts");
		const found = (list.body.items ?? []).find((item) => item["hostId"] === host.hostId);
		// A host that is to be drained, or was before, is up all the same.
		if (["active", "draining", "drained"].includes(String(found?.["state"]))) return;
		if (!host.agent.running)
			throw new StackError(`The agent of ${host.hostId} ended at its start:\n${host.agent.log()}`);
		if (Date.now() > deadline) {
			throw new StackError(
				`The host ${host.hostId} is still ${found?.["state"]}; its agent says:\n${host.agent.log()}`,
			);
		}
		await delay(POLL_MS);
	}
};
