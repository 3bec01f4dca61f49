import type { SyncRequest, SyncResponse } from "../contract/host.ts";
import { MAX_CALLS_PER_SYNC, MAX_SLOTS_PER_SYNC } from "../contract/host.ts";
import type { Deps } from "../deps.ts";
import { getItem } from "../store/db.ts";
import { type Candidate, type ContactItem, type HostItem, leaseOf, type TrunkItem } from "../store/items.ts";
import { afterCommit } from "./after-commit.ts";
import { grantedCalls, sharesAndSlots } from "./answer.ts";
import { type Choice, campaignsFor, chooseCandidates } from "./choose.ts";
import { type Commit, commitSync } from "./commit.ts";
import { addCounts, forgettable } from "./counters.ts";
import { anotherAgent, busy, noSuchHost, seqAhead, seqOld, staleEpoch } from "./errors.ts";
import { claim, contactKeyOfCandidate, putGrant, readGrant } from "./grant.ts";
import { putInventory } from "./inventory.ts";
import { recallsFor } from "./recall.ts";
import { releaseEarlier } from "./release-earlier.ts";
import { reserve, Superseded } from "./reserve.ts";
import { type Settled, settleCompleted, settleReturned } from "./settle.ts";
import { type ByCampaign, sum } from "./shares.ts";
import { mostCalls } from "./slots.ts";
import { undoClaims } from "./undo.ts";
import { type HostRef, mayUse, readCampaigns, readWorld, type World } from "./world.ts";

/** One execution of one sync: what it knows and has done so far. */
interface Run {
	deps: Deps;
	request: SyncRequest;
	host: HostItem;
	world: World;
	/** `hostId#epoch#seq`: the lease of what this sync claims. */
	me: string;
	startedAt: number;
}

/** Calls by campaign that the host still holds after its report. */
const heldAfter = (held: ByCampaign, settled: Settled[], epoch: number): ByCampaign => {
	const base = { ...held };
	for (const { gone, ref } of settled) {
		if (!gone || ref.epoch !== epoch) continue;
		const left = (base[ref.campaignId] ?? 0) - 1;
		if (left > 0) base[ref.campaignId] = left;
		else delete base[ref.campaignId];
	}
	return base;
};

const onTrunk = (world: World, trunkId: string, calls: ByCampaign): ByCampaign =>
	Object.fromEntries(Object.entries(calls).filter(([c]) => world.campaigns.get(c)?.trunk === trunkId));

/** Settles what the host reports; every one apart, so that one bad completion never blocks the others. */
const settleAll = async ({ deps, request, host, world, me }: Run): Promise<Settled[]> => {
	const { tenant, hostId } = host;
	const completed = new Map(request.completed.map((call) => [call.callId, call]));
	const returned = new Set(request.returned.filter((callId) => !completed.has(callId)));
	return Promise.all([
		...[...completed.values()].map((call) =>
			settleCompleted(deps, tenant, hostId, request.epoch, me, call, world.campaigns),
		),
		...[...returned].map((callId) => settleReturned(deps, tenant, hostId, callId, world.campaigns)),
	]);
};

/** Chooses candidates and reserves share and slots, trunk by trunk; returns the candidates cut to the reservations. */
const chooseAndReserve = async (run: Run, base: ByCampaign): Promise<{ choices: Choice[]; reserved: TrunkItem[] }> => {
	const { deps, request, host, world } = run;
	const draining = host.state === "draining";
	const prefetch = Math.min(request.prefetch, host.cap);
	// The control plane's figure of the capacity rules: what would not fit is not granted.
	const room = Math.max(0, host.cap + prefetch - sum(base));
	let want = draining ? 0 : Math.min(request.want, room, MAX_CALLS_PER_SYNC);
	const byTrunk = want > 0 ? await campaignsFor(deps, host, world) : new Map<string, string[]>();
	const choices: Choice[] = [];
	const reserved: TrunkItem[] = [];
	const shares = new Map(
		[...world.trunks.values()].map((trunk) => [trunk.trunkId, sum(trunk.a[host.hostId]?.n ?? {})]),
	);
	for (const trunk of world.trunks.values()) {
		const trunkBase = onTrunk(world, trunk.trunkId, base);
		const mine = trunk.a[host.hostId]?.n ?? {};
		// What is held without a channel is at least what the host holds beyond all that is up there.
		const waiting = Math.max(0, sum(trunkBase) - request.live);
		const most = Math.min(want, Math.max(0, mostCalls(trunk.trunk.maxCps) - waiting));
		const found = await chooseCandidates(deps, world, byTrunk.get(trunk.trunkId) ?? [], (c) => {
			const channels = Math.max(0, (trunk.c[c]?.free ?? 0) + (mine[c] ?? 0) - (trunkBase[c] ?? 0));
			return Math.min(most, channels + prefetch);
		});
		const others = [...shares].reduce((n, [id, share]) => (id === trunk.trunkId ? n : n + share), 0);
		const { trunk: after, calls } = await reserve(
			deps,
			{
				host,
				epoch: request.epoch,
				seq: request.seq,
				base: trunkBase,
				candidates: Object.fromEntries([...found].map(([c, list]) => [c, list.length])),
				hostRoom: host.cap - others,
				want: most,
				prefetch,
				slotLeadMs: request.slotLeadMs,
				slots: draining || !mayUse(trunk, host) ? 0 : Math.min(request.slots[trunk.trunkId] ?? 0, MAX_SLOTS_PER_SYNC),
			},
			trunk,
		);
		reserved.push(after);
		shares.set(trunk.trunkId, sum(after.a[host.hostId]?.n ?? {}));
		for (const [c, count] of Object.entries(calls)) choices.push(...(found.get(c) ?? []).slice(0, count));
		want -= sum(calls);
	}
	return { choices, reserved };
};

/** Claims the candidates of the grant record that stands; indexes of those that are this sync's. */
const claimAll = async (run: Run, cands: Candidate[]): Promise<number[]> => {
	const { deps, host, world, me } = run;
	const mine = await Promise.all(
		cands.map((candidate) => {
			const campaign = world.campaigns.get(candidate.c);
			return campaign ? claim(deps, contactKeyOfCandidate(host.tenant, candidate, campaign), candidate.v, me) : false;
		}),
	);
	return cands.flatMap((_, i) => (mine[i] ? [i] : []));
};

/** A twin's grant may name a campaign that was not there yet when this execution read its world. */
const readMissing = async ({ deps, host, world }: Run, cands: Candidate[]): Promise<void> => {
	const missing = cands.map((candidate) => candidate.c).filter((c) => !world.campaigns.has(c));
	if (missing.length === 0) return;
	for (const [id, campaign] of await readCampaigns(deps, host.tenant, missing)) world.campaigns.set(id, campaign);
};

/**
 * Commits. Where the host began to drain meanwhile, commits without calls and only then takes the claims back: once it stands, no twin
 * can answer them any more.
 */
const commitOrFollow = async (run: Run, commit: Commit, cands: Candidate[], base: ByCampaign): Promise<HostItem> => {
	const { deps, request, host } = run;
	let standing: HostItem | undefined = host;
	// The state may change back and forth while we write; each change is a person's or the fleet's, so they are few.
	while (standing && standing.epoch === request.epoch && standing.seq === request.seq - 1 && isUp(standing)) {
		const draining = standing.state === "draining";
		const made: Commit = draining ? { ...commit, ans: [], held: base } : commit;
		const result: Awaited<ReturnType<typeof commitSync>> = await commitSync(
			deps,
			host,
			standing.state,
			request.seq,
			made,
		);
		if (result.ok) {
			if (made.ans.length === 0) await undo(run, cands);
			return { ...standing, seq: request.seq, ...made };
		}
		standing = result.item;
	}
	// A twin of this very sync won, or the first try of this very write did: its answer is ours.
	if (standing && standing.epoch === request.epoch && standing.seq === request.seq && isUp(standing)) {
		if (!sameAgent(standing, request)) throw anotherAgent(host.hostId);
		return standing;
	}
	throw standing && standing.epoch === request.epoch && isUp(standing)
		? seqOld(standing.seq)
		: staleEpoch(standing ?? host);
};

const undo = ({ deps, host, world, me }: Run, cands: Candidate[]): Promise<void> =>
	undoClaims(deps, host.tenant, me, cands, async (c) => world.campaigns.get(c));

const sameAgent = (host: HostItem, request: SyncRequest): boolean => (host.agent ?? "") === (request.agent ?? "");
const isUp = (host: HostItem): boolean => host.state === "active" || host.state === "draining";

const answer = async (
	run: Run,
	host: HostItem,
	trunks: Iterable<TrunkItem>,
	cands: Candidate[],
	known: Map<string, ContactItem>,
	refused: SyncResponse["refused"],
): Promise<SyncResponse> => {
	const { deps, request, world } = run;
	const drain = host.state === "draining";
	return {
		seq: request.seq,
		now: (run.startedAt + deps.now()) / 2,
		calls: await grantedCalls(deps, host, world, request.epoch, request.seq, cands, host.ans, known),
		...sharesAndSlots(host.hostId, request.epoch, request.seq, trunks),
		recall: await recallsFor(deps, host, world, host.held, drain),
		hangup: [],
		refused,
		drain,
		configVersion: world.configVersion,
		audioVersion: 0,
		nextSyncMs: deps.settings.maxSyncIntervalMs,
	};
};

/** The same answer again for a seq that was committed before: no writes. */
const replay = async (run: Run): Promise<SyncResponse> => {
	const { deps, request, host, world } = run;
	const grant =
		request.want > 0 ? await readGrant(deps, host.tenant, host.hostId, request.epoch, request.seq) : undefined;
	if (host.ans.length > 0 && !grant) throw busy();
	// Committed without calls because of a drain: what was claimed may not have been taken back before the execution died.
	if (host.ans.length === 0 && grant && grant.cands.length > 0) {
		await readMissing(run, grant.cands);
		await undo(run, grant.cands);
	}
	return answer(run, host, world.trunks.values(), grant?.cands ?? [], new Map(), []);
};

/**
 * One sync of a host: settle what it reports, choose, reserve, record the grant, claim, commit, answer. A crash between
 * any two steps is repaired by the repeated request or by the recovery.
 * @throws ApiError 404 unknown host; 409 staleEpoch, seqAhead, seqOld; 503 repeat the same request
 */
export const sync = async (deps: Deps, ref: HostRef, request: SyncRequest): Promise<SyncResponse> => {
	const startedAt = deps.now();
	const host = await getItem<HostItem>(deps.db, deps.tables.hosts, { tenant: ref.tenant, hostId: ref.hostId });
	if (!host) throw noSuchHost(ref.hostId);
	if (host.epoch !== request.epoch || !isUp(host)) throw staleEpoch(host);
	if (request.seq < host.seq) throw seqOld(host.seq);
	if (request.seq > host.seq + 1) throw seqAhead(host.seq);
	const world = await readWorld(deps, host, [...request.completed.map((call) => call.callId), ...request.returned]);
	const run: Run = { deps, request, host, world, me: leaseOf(host.hostId, request.epoch, request.seq), startedAt };
	if (request.seq === host.seq) {
		if (!sameAgent(host, request)) throw anotherAgent(host.hostId);
		return replay(run);
	}
	if (request.inventory) await putInventory(deps, ref, request.inventory);

	const settled = await settleAll(run);
	const refused = settled.flatMap(({ callId, refused: reason }) => (reason ? [{ callId, reason }] : []));
	const base = heldAfter(host.held, settled, request.epoch);
	if (request.earlier) await releaseEarlier(deps, host, world, request.earlier);

	const { choices, reserved } = await chooseAndReserve(run, base).catch((error: unknown) => {
		throw error instanceof Superseded ? seqOld(host.seq + 1) : error;
	});
	const known = new Map(choices.map(({ campaignId, contact }) => [campaignId + contact.contactKey, contact]));
	let cands = choices.map(
		({ campaignId, contact }): Candidate => ({
			c: campaignId,
			k: contact.contactKey,
			a: contact.attempt,
			v: contact.ver,
		}),
	);
	if (request.want > 0) {
		const grant = await putGrant(deps, host.tenant, host.hostId, request.epoch, request.seq, { cands });
		if (grant.tomb) throw staleEpoch(host);
		cands = grant.cands;
		await readMissing(run, cands);
	}
	// A draining host is granted nothing; only a twin from before the drain can have chosen any.
	const ans = host.state === "draining" ? [] : await claimAll(run, cands);
	const held = { ...base };
	for (const i of ans) {
		const c = cands[i]?.c ?? "";
		held[c] = (held[c] ?? 0) + 1;
	}
	const acc = { ...host.acc, ...addCounts(host.acc, settled) };
	for (const campaignId of await forgettable(deps, host, world, held, settled, request.seq)) delete acc[campaignId];
	const commit: Commit = {
		ans,
		held,
		acc,
		low: Math.min(request.low ?? host.low, request.seq),
		live: request.live,
		agent: request.agent ?? "",
	};
	const after = await commitOrFollow(run, commit, cands, base);
	await afterCommit(deps, { ...after, acc }, settled);
	deps.log.info("sync", {
		hostId: host.hostId,
		epoch: request.epoch,
		seq: request.seq,
		live: request.live,
		want: request.want,
		prefetch: request.prefetch,
		slotsWanted: request.slots,
		completed: request.completed.length,
		returned: request.returned.length,
		refused: refused.length,
		candidates: cands.length,
		granted: after.ans.length,
		ms: deps.now() - startedAt,
	});
	return answer(run, after, reserved, cands, known, refused);
};
