import { conflict } from "../contract/errors.ts";
import type { HelloRequest, HelloResponse } from "../contract/host.ts";
import type { Deps } from "../deps.ts";
import { HELLO_FROM, type HostState, isUp } from "../fleet/life.ts";
import { getItem, update } from "../store/db.ts";
import type { HostItem } from "../store/items.ts";
import { noSuchHost } from "./errors.ts";
import { putInventory } from "./inventory.ts";
import { deadTrunksOf } from "./trunk-health.ts";
import { type HostRef, readTrunks } from "./world.ts";

const UNDER_WAY =
	"The host has an epoch under way. If its disk is new, it gets another one after the old one has been recovered.";
const ENDING = "The fleet is stopping this instance, or has: it gets no epoch. It is started again when it is needed.";
/** Why a hello is to wait, by the host's state. */
const WAIT: Partial<Record<HostState, string>> = {
	lost: "What the host's last epoch held is being recovered. Say hello again in some seconds.",
	launching: "This start of the instance is not enrolled yet. Enrol it (POST /v1/hosts/enrol), then say hello.",
	booting:
		"This start of the instance is not enrolled, or has failed. Enrol it (POST /v1/hosts/enrol), then say hello.",
	stopping: ENDING,
	stopped: ENDING,
	terminated: ENDING,
};

/** No epoch now: the host waits and says hello again. */
const waitFor = (state: HostState): Error => conflict("wait", WAIT[state] ?? UNDER_WAY);

/** Whether an epoch may begin: nothing is held, and a burst host's present start was enrolled (a token of an earlier one does not count). */
const mayBegin = ({ state, tier, inst }: HostItem): boolean => {
	if (!HELLO_FROM.includes(state)) return false;
	return (
		tier !== "burst" || state !== "booting" || (inst?.enrolledStart === inst?.startId && inst?.failure === undefined)
	);
};

/** The one write that begins an epoch: on the state, epoch, drain and start that were read. */
const beginEpoch = (deps: Deps, host: HostItem, request: HelloRequest, deadTrunks: string[] | undefined) => {
	// A drain that was under way goes on; one that was wanted meanwhile begins.
	const goesOn = (host.state === "drained" || host.state === "recovered") && host.drainBy !== undefined;
	const drains = goesOn || host.drainWanted === true || host.state === "drained";
	const names: Record<string, string> = {
		"#epoch": "epoch",
		"#state": "state",
		"#seq": "seq",
		"#held": "held",
		"#ans": "ans",
		"#low": "low",
		"#boot": "boot",
		"#seen": "lastSeenAt",
		"#quiet": "quiet",
		"#leaves": "leavesSince",
		"#dead": "deadTrunks",
		"#health": "health",
		"#wanted": "drainWanted",
		"#by": "drainBy",
	};
	const values: Record<string, unknown> = {
		":read": host.epoch,
		":state": host.state,
		":next": host.epoch + 1,
		":zero": 0,
		":empty": {},
		":none": [],
		":one": 1,
		":nonce": request.nonce,
		":up": drains ? "draining" : "active",
		":now": deps.now(),
	};
	const conditions = ["#epoch = :read", "#state = :state"];
	/** A drain that is begun or taken back between our read and our write must not be overlooked. */
	const unchanged = (name: string, value: unknown, key: string): void => {
		if (value === undefined) conditions.push(`attribute_not_exists(${name})`);
		else {
			conditions.push(`${name} = ${key}`);
			values[key] = value;
		}
	};
	unchanged("#wanted", host.drainWanted, ":wantedRead");
	unchanged("#by", host.drainBy, ":byRead");
	const sets = [
		"#epoch = :next",
		"#seq = :zero",
		"#held = :empty",
		"#ans = :none",
		"#low = :one",
		"#boot = :nonce",
		"#state = :up",
		"#seen = :now",
	];
	const removes = ["#quiet", "#leaves", "#health"];
	if (deadTrunks === undefined) removes.push("#dead");
	else {
		sets.push("#dead = :dead");
		values[":dead"] = deadTrunks;
	}
	if (!goesOn) {
		Object.assign(names, { "#at": "drainAt", "#until": "drainUntil" });
		removes.push("#until");
		if (drains) {
			sets.push("#at = :now", "#by = :operator");
			values[":operator"] = "operator";
		} else removes.push("#at", "#by");
	}
	if (host.state === "booting" && host.inst) {
		Object.assign(names, { "#inst": "inst", "#ready": "readyAt", "#start": "startId" });
		values[":start"] = host.inst.startId;
		conditions.push("#inst.#start = :start");
		sets.push("#inst.#ready = :now");
	}
	return update<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		Key: { tenant: host.tenant, hostId: host.hostId },
		ConditionExpression: conditions.join(" AND "),
		UpdateExpression: `SET ${sets.join(", ")} REMOVE ${removes.join(", ")}`,
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: values,
		ReturnValues: "ALL_NEW",
	});
};

/**
 * Issues an epoch. The same nonce gets the same epoch again until the first sync, so a lost answer does no harm.
 * @throws ApiError 404 unknown host; 409 wait
 */
export const hello = async (deps: Deps, ref: HostRef, request: HelloRequest): Promise<HelloResponse> => {
	const host = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: ref.tenant, hostId: ref.hostId });
	if (!host) throw noSuchHost(ref.hostId);
	const { trunks, configVersion } = await readTrunks(deps, ref.tenant);
	if (request.inventory) await putInventory(deps, ref, request.inventory);
	const isRepeat = (item: HostItem): boolean => isUp(item.state) && item.boot === request.nonce && item.seq === 0;
	if (isRepeat(host)) return { epoch: host.epoch, now: deps.now(), configVersion };
	// The nonce of the standing epoch comes late: its host is long past it, and a new epoch would end the one it has.
	if (!mayBegin(host) || (isUp(host.state) && host.boot === request.nonce)) throw waitFor(host.state);
	const result = await beginEpoch(deps, host, request, deadTrunksOf(request.trunks, trunks));
	if (result.ok) {
		const begun = result.item ?? host;
		const state = begun.state;
		deps.log.info("host.hello", { hostId: ref.hostId, epoch: host.epoch + 1, from: host.state, state });
		if (host.state === "booting" && host.inst) {
			const { instanceId, type, market, startedAt } = host.inst;
			const seconds = ((begun.inst?.readyAt ?? deps.now()) - startedAt) / 1_000;
			deps.log.info("host.ready", { hostId: ref.hostId, instanceId, type, market, seconds });
		}
		return { epoch: host.epoch + 1, now: deps.now(), configVersion };
	}
	const standing = result.item;
	if (standing && isRepeat(standing)) return { epoch: standing.epoch, now: deps.now(), configVersion };
	throw waitFor(standing?.state ?? host.state);
};
