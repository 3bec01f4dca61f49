import { conflict } from "../contract/errors.ts";
import type { HelloRequest, HelloResponse } from "../contract/host.ts";
import type { Deps } from "../deps.ts";
import { getItem, update } from "../store/db.ts";
import type { HostItem } from "../store/items.ts";
import { noSuchHost } from "./errors.ts";
import { putInventory } from "./inventory.ts";
import { type HostRef, readTrunks } from "./world.ts";

/** The host's last epoch is not settled yet: it waits and says hello again. */
const waitForRecovery = (host: HostItem): Error =>
	conflict(
		"wait",
		host.state === "lost"
			? "What the host's last epoch held is being recovered. Say hello again in some seconds."
			: "The host has an epoch under way. If its disk is new, it gets another one after the old one has been recovered.",
	);

/**
 * Issues an epoch. The same nonce gets the same epoch again until the first sync, so a lost answer does no harm.
 * @throws ApiError 404 unknown host; 409 wait
 */
export const hello = async (deps: Deps, ref: HostRef, request: HelloRequest): Promise<HelloResponse> => {
	const host = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: ref.tenant, hostId: ref.hostId });
	if (!host) throw noSuchHost(ref.hostId);
	const { configVersion } = await readTrunks(deps, ref.tenant);
	if (request.inventory) await putInventory(deps, ref, request.inventory);
	if (host.state === "active" || host.state === "draining") {
		if (host.boot !== request.nonce || host.seq !== 0) throw waitForRecovery(host);
		return { epoch: host.epoch, now: deps.now(), configVersion };
	}
	if (host.state === "lost") throw waitForRecovery(host);
	const next = host.drainWanted ? "draining" : "active";
	const result = await update<HostItem>(deps.db, {
		TableName: deps.tables.hosts,
		Key: { tenant: ref.tenant, hostId: ref.hostId },
		ConditionExpression: "#epoch = :read AND #state = :state",
		UpdateExpression:
			"SET #epoch = :next, #seq = :zero, #held = :empty, #ans = :none, #low = :one, #boot = :nonce, #state = :up, #seen = :now",
		ExpressionAttributeNames: {
			"#epoch": "epoch",
			"#state": "state",
			"#seq": "seq",
			"#held": "held",
			"#ans": "ans",
			"#low": "low",
			"#boot": "boot",
			"#seen": "lastSeenAt",
		},
		ExpressionAttributeValues: {
			":read": host.epoch,
			":state": host.state,
			":next": host.epoch + 1,
			":zero": 0,
			":empty": {},
			":none": [],
			":one": 1,
			":nonce": request.nonce,
			":up": next,
			":now": deps.now(),
		},
	});
	if (result.ok) {
		deps.log.info("host.hello", { hostId: ref.hostId, epoch: host.epoch + 1, state: next });
		return { epoch: host.epoch + 1, now: deps.now(), configVersion };
	}
	const standing = result.item;
	if (standing && standing.boot === request.nonce && standing.seq === 0 && standing.state !== "lost") {
		return { epoch: standing.epoch, now: deps.now(), configVersion };
	}
	throw waitForRecovery(standing ?? host);
};
