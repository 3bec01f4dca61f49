import type { HostConfig, HostTrunk } from "../contract/host.ts";
import type { Trunk } from "../contract/trunk.ts";
import type { Deps } from "../deps.ts";
import { getItem } from "../store/db.ts";
import type { HostItem } from "../store/items.ts";
import { noSuchHost } from "./errors.ts";
import { type HostRef, mayUse, readTrunks } from "./world.ts";

const hostTrunk = (trunk: Trunk): HostTrunk => ({
	id: trunk.id,
	type: trunk.type,
	...(trunk.host === undefined ? {} : { host: trunk.host }),
	...(trunk.port === undefined ? {} : { port: trunk.port }),
	...(trunk.username === undefined ? {} : { username: trunk.username }),
	...(trunk.secretRef === undefined ? {} : { secretRef: trunk.secretRef }),
	...(trunk.endpoint === undefined ? {} : { endpoint: trunk.endpoint }),
	codecs: trunk.codecs,
	qualify: trunk.qualify,
	callerIdIn: trunk.format.callerIdIn,
});

/** What a host needs to know: its capacity, its trunks, its times. */
export const hostConfig = async (deps: Deps, ref: HostRef): Promise<HostConfig> => {
	const host = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: ref.tenant, hostId: ref.hostId });
	if (!host) throw noSuchHost(ref.hostId);
	const { trunks, configVersion } = await readTrunks(deps, ref.tenant);
	return {
		configVersion,
		capacity: host.cap,
		trunks: [...trunks.values()].filter((trunk) => mayUse(trunk, host)).map((trunk) => hostTrunk(trunk.trunk)),
		fenceSec: deps.settings.fenceSec,
		maxSyncIntervalMs: deps.settings.maxSyncIntervalMs,
		peekIntervalMs: deps.settings.peekIntervalMs,
	};
};
