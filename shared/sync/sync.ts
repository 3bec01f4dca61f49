import type { SyncRequest, SyncResponse } from "../contract/host.ts";
import { laneOf } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { isDraining, isUp } from "../fleet/life.ts";
import { nudgeFleet } from "../fleet/nudge.ts";
import { getItem } from "../store/db.ts";
import { type Candidate, type ContactItem, type HostItem, leaseOf, type TrunkItem } from "../store/items.ts";
import { callingRules } from "../suppression/calling-policy.ts";
import { afterCommit } from "./after-commit.ts";
import { grantedCalls, sharesAndSlots } from "./answer.ts";
import type { Choice } from "./choose.ts";
import { chooseAndReserve } from "./choose-and-reserve.ts";
import { claimWithinLimits } from "./claim-within-limits.ts";
import { type Commit, commitSync } from "./commit.ts";
import { addCounted, addCounts, type Counted, forgettable } from "./counters.ts";
import { anotherAgent, busy, noSuchHost, seqAhead, seqOld, staleEpoch } from "./errors.ts";
import { contactKeyOfCandidate, putGrant, readGrant } from "./grant.ts";
import { putInventory } from "./inventory.ts";
import { hangupsFor, recallsFor } from "./recall.ts";
import { releaseEarlier } from "./release-earlier.ts";
import { Superseded } from "./reserve.ts";
import type { Run } from "./run.ts";
import { type Settled, settleCompleted, settleReturned } from "./settle.ts";
import { type ByCampaign, sum } from "./shares.ts";
import { deadTrunksOf } from "./trunk-health.ts";
import { observe } from "./trunk-pace.ts";
import { undoClaims } from "./undo.ts";
import { endUncalled } from "./waits.ts";
import { type HostRef, readCampaigns, readWorld } from "./world.ts";

/** Calls by lane that the host still holds after its report. */
const heldAfter = (held: ByCampaign, settled: Settled[], epoch: number): ByCampaign => {
	const base = { ...held };
	for (const { gone, ref } of settled) {
		if (!gone || ref.epoch !== epoch) continue;
		const lane = laneOf(ref);
		const left = (base[lane] ?? 0) - 1;
		if (left > 0) base[lane] = left;
		else delete base[lane];
	}
	return base;
};

/** Settles what the host reports; every one apart, so that one bad completion never blocks the others. */
const settleAll = async ({ deps, request, host, world, me }: Run): Promise<Settled[]> => {
	const { tenant, hostId } = host;
	const completed = new Map(request.completed.map((call) => [call.callId, call]));
	const returned = new Set(request.returned.filter((callId) => !completed.has(callId)));
	return Promise.all([
		...[...completed.values()].map((call) => settleCompleted(deps, tenant, hostId, request.epoch, me, call, world)),
		...[...returned].map((callId) => settleReturned(deps, tenant, hostId, callId, world.campaigns)),
	]);
};

const candidateOf = ({ campaignId, contact, trunkIndex }: Choice): Candidate => ({
	c: campaignId,
	k: contact.contactKey,
	a: contact.attempt,
	v: contact.ver,
	...(trunkIndex ? { t: trunkIndex } : {}),
});

/**
 * Claims the candidates of the grant record that stands, and ends those that are not to be called.
 * @returns indexes of those that are this sync's, and what is counted of those that it ended
 */
const claimAll = async (
	run: Run,
	cands: Candidate[],
	known: ReadonlyMap<string, ContactItem>,
): Promise<{ ans: number[]; ended: Counted[] }> => {
	if (cands.length === 0) return { ans: [], ended: [] };
	const { deps, host, world, me } = run;
	const { policy } = await callingRules(deps, host.tenant);
	const mine = await Promise.all(
		cands.map(async (candidate) => {
			const campaign = world.campaigns.get(candidate.c);
			if (!campaign) return false;
			const key = contactKeyOfCandidate(host.tenant, candidate, campaign);
			if (candidate.x !== undefined) return endUncalled(deps, key, candidate.v, me, candidate.x);
			// A draining host is granted nothing; what an earlier execution ended is counted all the same.
			if (isDraining(host.state)) return false;
			return claimWithinLimits(run, policy, campaign, candidate, known.get(candidate.c + candidate.k));
		}),
	);
	const ended = cands.flatMap((candidate, i): Counted[] =>
		mine[i] && candidate.x !== undefined
			? [{ campaignId: candidate.c, outcome: candidate.x.o, final: true, placed: false }]
			: [],
	);
	return { ans: cands.flatMap(({ x }, i) => (mine[i] && x === undefined ? [i] : [])), ended };
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
	while (standing && standing.epoch === request.epoch && standing.seq === request.seq - 1 && isUp(standing.state)) {
		const made: Commit = isDraining(standing.state) ? { ...commit, ans: [], held: base } : commit;
		const result: Awaited<ReturnType<typeof commitSync>> = await commitSync(deps, standing, request.seq, made);
		if (result.ok) {
			if (made.ans.length === 0) await undo(run, cands);
			return result.made;
		}
		standing = result.item;
	}
	// A twin of this very sync won, or the first try of this very write did: its answer is ours.
	if (standing && standing.epoch === request.epoch && standing.seq === request.seq && isUp(standing.state)) {
		if (!sameAgent(standing, request)) throw anotherAgent(host.hostId);
		// It may stand still before it has taken the claims back: the host goes on with our answer, and then nobody would.
		if (standing.ans.length === 0) await undo(run, cands);
		return standing;
	}
	throw standing && standing.epoch === request.epoch && isUp(standing.state)
		? seqOld(standing.seq)
		: staleEpoch(standing ?? host);
};

const undo = ({ deps, host, world, me }: Run, cands: Candidate[]): Promise<void> =>
	undoClaims(deps, host.tenant, me, cands, async (c) => world.campaigns.get(c));

const sameAgent = (host: HostItem, request: SyncRequest): boolean => (host.agent ?? "") === (request.agent ?? "");

/** Whether the host has nothing: no channel, nothing to report, nothing held, and no call of an earlier epoch, as far as either side knows. */
const isQuiet = ({ request, host, world }: Run, base: ByCampaign): boolean => {
	const isLoss = (key: string): boolean => key.startsWith(`${host.hostId}#`);
	// A host that cannot say yet what it has of earlier epochs: then our own books count.
	const earlier = request.earlier
		? request.earlier.length > 0
		: [...world.trunks.values()].some((trunk) => Object.keys(trunk.z).some(isLoss));
	const reports = request.completed.length + request.returned.length;
	return request.live === 0 && reports === 0 && sum(base) === 0 && !earlier;
};

/** A host that has just become drained: said, and the fleet is asked to look at once, for a burst host costs while it idles. */
const sayDrained = async (deps: Deps, host: HostItem): Promise<void> => {
	deps.log.info("host.drained", {
		hostId: host.hostId,
		epoch: host.epoch,
		seq: host.seq,
		by: host.drainBy,
		seconds: host.drainAt === undefined ? undefined : (deps.now() - host.drainAt) / 1_000,
	});
	if (host.tier === "burst") await nudgeFleet(deps, host.tenant, `${host.hostId} is drained`);
};

const answer = async (
	run: Run,
	host: HostItem,
	trunks: Iterable<TrunkItem>,
	cands: Candidate[],
	known: Map<string, ContactItem>,
	refused: SyncResponse["refused"],
): Promise<SyncResponse> => {
	const { deps, request, world } = run;
	const drain = isDraining(host.state);
	return {
		seq: request.seq,
		now: (run.startedAt + deps.now()) / 2,
		calls: await grantedCalls(deps, host, world, request.epoch, request.seq, cands, host.ans, known),
		...sharesAndSlots(host.hostId, request.epoch, request.seq, trunks, world.campaigns),
		recall: await recallsFor(deps, host, world, host.held, drain),
		hangup: await hangupsFor(deps, host, world, host.held),
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
	if (host.epoch !== request.epoch || !isUp(host.state)) throw staleEpoch(host);
	if (request.seq < host.seq) throw seqOld(host.seq);
	if (request.seq > host.seq + 1) throw seqAhead(host.seq);
	const world = await readWorld(deps, host, [...request.completed.map((call) => call.callId), ...request.returned]);
	const run: Run = {
		deps,
		request,
		host,
		world,
		me: leaseOf(host.hostId, request.epoch, request.seq),
		startedAt,
		deadTrunks: deadTrunksOf(request.trunks, world.trunks) ?? host.deadTrunks,
	};
	if (request.seq === host.seq) {
		if (!sameAgent(host, request)) throw anotherAgent(host.hostId);
		return replay(run);
	}
	if (request.inventory) await putInventory(deps, ref, request.inventory);

	const settled = await settleAll(run);
	const refused = settled.flatMap(({ callId, refused: reason }) => (reason ? [{ callId, reason }] : []));
	const base = heldAfter(host.held, settled, request.epoch);
	if (request.earlier) await releaseEarlier(deps, host, world, request.earlier);

	const observed = observe(host.refusals, settled, world.campaigns, deps.now());
	const { choices, reserved, uncalled, leavesSince } = await chooseAndReserve(run, base, observed.slow).catch(
		(error: unknown) => {
			throw error instanceof Superseded ? seqOld(host.seq + 1) : error;
		},
	);
	const known = new Map(choices.map(({ campaignId, contact }) => [campaignId + contact.contactKey, contact]));
	let cands = [
		...choices.map((choice) => candidateOf(choice)),
		...uncalled.map(({ choice, outcome, why }): Candidate => ({ ...candidateOf(choice), x: { o: outcome, why } })),
	];
	if (request.want > 0) {
		const grant = await putGrant(deps, host.tenant, host.hostId, request.epoch, request.seq, { cands });
		if (grant.tomb) throw staleEpoch(host);
		cands = grant.cands;
		await readMissing(run, cands);
	}
	// A draining host is granted nothing; only a twin from before the drain can have chosen any.
	const { ans, ended } = await claimAll(run, cands, known);
	const held = { ...base };
	for (const i of ans) {
		const candidate = cands[i];
		if (!candidate) continue;
		const lane = laneOf({ campaignId: candidate.c, ...(candidate.t ? { trunkIndex: candidate.t } : {}) });
		held[lane] = (held[lane] ?? 0) + 1;
	}
	const settledAcc = { ...host.acc, ...addCounts(host.acc, settled) };
	const acc = { ...settledAcc, ...addCounted(settledAcc, ended) };
	for (const campaignId of await forgettable(deps, host, world, held, settled, request.seq)) delete acc[campaignId];
	const commit: Commit = {
		ans,
		held,
		acc,
		low: Math.min(request.low ?? host.low, request.seq),
		live: request.live,
		agent: request.agent ?? "",
		health: request.state,
		deadTrunks: run.deadTrunks,
		leavesSince,
		refusals: observed.refusals,
		quiet: isQuiet(run, base),
	};
	const after = await commitOrFollow(run, commit, cands, base);
	await afterCommit(deps, { ...after, acc }, settled, ended);
	if (after.state === "drained" && host.state !== "drained") await sayDrained(deps, after);
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
		...(ended.length === 0 ? {} : { suppressed: ended.length }),
		granted: after.ans.length,
		...(isDraining(after.state) ? { state: after.state, quiet: after.quiet } : {}),
		...(observed.slow.length === 0 ? {} : { refusedOn: observed.slow }),
		...(observed.off.length === 0 ? {} : { leaves: observed.off }),
		...(after.leavesSince === undefined ? {} : { leavesSince: after.leavesSince }),
		ms: deps.now() - startedAt,
	});
	return answer(run, after, reserved, cands, known, refused);
};
