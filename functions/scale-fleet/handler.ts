import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import type { FleetDeps } from "../../shared/fleet/deps.ts";
import { hostIdOf } from "../../shared/fleet/ec2.ts";
import { drainForInterruption, lookAtFleet } from "../../shared/fleet/look.ts";
import { type FleetRequest, looksOf, parseFleetMessage } from "../../shared/fleet/messages.ts";
import { noteInstanceState } from "../../shared/ledger/book-runs.ts";
import { getItem } from "../../shared/store/db.ts";
import { type FleetRuntime, fleetFromEnvironment } from "../lambda/fleet-runtime.ts";

/** A message that was read; it comes again if what it asks for fails. */
interface Received {
	messageId: string;
	request: FleetRequest;
}

const isOurs = async (deps: FleetDeps, { tenant, instanceId }: FleetRequest): Promise<boolean> =>
	instanceId === undefined ||
	(await getItem(deps.db, deps.tables.hosts, { tenant, hostId: hostIdOf(instanceId) })) !== undefined;

/**
 * A batch of the fleet's queue is one look at the fleet for each tenant that it names, however many ask for it. Spot hosts that were given notice are
 * drained before. A message that failed comes again, and becomes a dead letter after a few times.
 */
export const make =
	(runtime: FleetRuntime) =>
	async ({ Records: records }: SQSEvent, _context?: Context): Promise<SQSBatchResponse> => {
		const deps = runtime();
		const failed = new Set<string>();
		const attempt = async <T>(
			event: string,
			messageIds: string[],
			run: () => T | Promise<T>,
		): Promise<T | undefined> => {
			try {
				return await run();
			} catch (error) {
				deps.log.error(event, { messageIds, error });
				for (const id of messageIds) failed.add(id);
				return undefined;
			}
		};
		const read = async (record: SQSRecord): Promise<Received[]> => {
			const { messageId, body } = record;
			const request = await attempt("scale-fleet.malformed", [messageId], () => parseFleetMessage(body));
			if (!request) return [];
			const ours = await attempt("scale-fleet.unread", [messageId], () => isOurs(deps, request));
			return ours ? [{ messageId, request }] : [];
		};
		const received = (await Promise.all(records.map(read))).flat();
		for (const { messageId, request } of received) {
			const { tenant, instanceId, instanceState, goneAt } = request;
			if (instanceId === undefined) continue;
			if (instanceState) {
				const { state, atMs } = instanceState;
				await attempt("scale-fleet.notBooked", [messageId], () =>
					noteInstanceState(deps, tenant, instanceId, state, atMs),
				);
			}
			if (goneAt === undefined) continue;
			await attempt("scale-fleet.drainFailed", [messageId], () =>
				drainForInterruption(deps, tenant, instanceId, goneAt),
			);
		}
		for (const { tenant, why, chain } of looksOf(received.map(({ request }) => request))) {
			const ids = received.filter(({ request }) => request.tenant === tenant).map(({ messageId }) => messageId);
			await attempt("scale-fleet.failed", ids, () => lookAtFleet(deps, tenant, why, { chain }));
		}
		return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
	};

export const handler = make(fleetFromEnvironment);
