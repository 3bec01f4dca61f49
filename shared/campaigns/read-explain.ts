import type { BurstSettings } from "../config/burst-settings.ts";
import type { Deps } from "../deps.ts";
import { isUp } from "../fleet/life.ts";
import { readFleet } from "../fleet/state.ts";
import { batchGet } from "../store/db.ts";
import { type CampaignItem, type HostItem, type InventoryItem, inventoryKey } from "../store/items.ts";
import { readLists } from "../suppression/lists.ts";
import { withTrunksOff } from "../sync/trunk-pace.ts";
import { readCampaigns } from "../sync/world.ts";
import { type Explanation, explain } from "./explain.ts";
import type { ReadContacts } from "./explain-input.ts";
import { readContacts } from "./read-explain-contacts.ts";
import { readCampaignFigures } from "./read-forecast.ts";

/** What an explanation needs of the outside besides the usual. */
export interface ExplainDeps extends Deps {
	burst: BurstSettings;
}

/** More other campaigns on its trunks are not read: they count as if each were dialed with the usual priority. */
const MAX_OTHERS = 50;
/** Counters and contacts are read one after the other; where calls end in between both are read again, so often at most, as long as that costs little. */
const MAX_LOOKS = 3;
const LOOK_AGAIN_UP_TO = 2_000;

const iso = (ms: number): string => new Date(ms).toISOString();

/** An explanation as the API shows it. */
export const showExplanation = (explanation: Explanation) => ({
	...explanation,
	at: iso(explanation.at),
	main: explanation.main ?? null,
	reasons: explanation.reasons.map(({ from, until, ...reason }) => ({
		...reason,
		...(from === undefined ? {} : { from: iso(from) }),
		...(until === undefined ? {} : { until: iso(until) }),
	})),
});
export type ShownExplanation = ReturnType<typeof showExplanation>;

/** When contacts are looked at as if it were then: a campaign that is scheduled waits for its start, whatever its windows say now. */
const momentOf = ({ state, startAt }: CampaignItem, now: number): number =>
	state === "scheduled" ? Math.max(now, startAt ?? now) : now;

const isSettled = (
	{ counts: { total, done } }: { counts: { total: number; done: number } },
	contacts: ReadContacts,
): boolean => total - done === contacts.claimed + contacts.groups.reduce((n, group) => n + group.contacts, 0);

/** Counters, then contacts: what ends in between is told as such. */
const readBoth = async (deps: ExplainDeps, tenant: string, campaignId: string) => {
	for (let look = 1; ; look++) {
		const now = deps.now();
		const figures = await readCampaignFigures(deps, tenant, campaignId);
		const contacts = await readContacts(deps, figures.campaign, figures.counts, momentOf(figures.campaign, now));
		const again = contacts.whole && figures.counts.total <= LOOK_AGAIN_UP_TO && look < MAX_LOOKS;
		if (!again || isSettled(figures, contacts)) return { now, figures, contacts };
	}
};

const readInventories = async (
	deps: Deps,
	{ tenant, then }: CampaignItem,
	hosts: readonly HostItem[],
): Promise<Map<string, InventoryItem>> => {
	if ("wait" in then) return new Map();
	const up = hosts.filter(({ state }) => isUp(state));
	const items = await batchGet<InventoryItem>(
		deps.db,
		deps.tables.hosts,
		up.map(({ hostId }) => inventoryKey(tenant, hostId)),
	);
	return new Map(items.map((item) => [item.hostId, item]));
};

/** Why a campaign is not dialed, or not faster; throws 404. */
export const explainCampaign = async (
	deps: ExplainDeps,
	tenant: string,
	campaignId: string,
): Promise<ShownExplanation> => {
	const { now, figures, contacts } = await readBoth(deps, tenant, campaignId);
	const { campaign, counts, trunks, hosts } = figures;
	const ids = new Set(trunks.flatMap(({ c }) => Object.keys(c)));
	ids.delete(campaignId);
	const [inventories, others, lists, fleet] = await Promise.all([
		readInventories(deps, campaign, hosts),
		readCampaigns(deps, tenant, [...ids].slice(0, MAX_OTHERS)),
		readLists(deps, tenant),
		readFleet(deps, tenant),
	]);
	const explanation = explain({
		now,
		campaign,
		counts,
		contacts,
		trunks,
		hosts: hosts.map((host) => withTrunksOff(host, now)),
		inventories,
		others,
		lists,
		fleet,
		burst: deps.burst,
		lostAfterSec: deps.settings.lostAfterSec,
	});
	const { main, notDone, reasons, estimated, lookedAt, hosts: at } = explanation;
	deps.log.info("campaign.explained", {
		campaignId,
		state: campaign.state,
		main,
		notDone,
		reasons: Object.fromEntries(reasons.map(({ reason, contacts: n }) => [reason, n])),
		estimated,
		lookedAt,
		hosts: at,
	});
	return showExplanation(explanation);
};
