import type { AgentConfig } from "./config-file.ts";
import { AgentConfigError, controlPlaneUrlSchema, readSecret } from "./config-file.ts";
import { enrol, postEnrolment, tryEnrolment } from "./enrolment.ts";
import { claimState, documentSchema, type InstanceRecord, saveInstance } from "./instance.ts";
import { isIpv4, METADATA_URL, type Metadata, MetadataError, metadataService } from "./metadata.ts";
import type { Clock, Log } from "./ports.ts";

/** Who this host is for the control plane. */
export interface Who {
	hostId: string;
	controlPlaneUrl: string;
	/** Called again after the token was refused. */
	readToken: () => string | Promise<string>;
	/** Where other machines reach an instance; undefined on steady hosts. */
	nat?: { address: string | undefined; localNets: string[] };
}

/** The metadata service is up long before anything else of the instance; other failures pass too. */
const METADATA_RETRY_MS = 1_000;
/** A refused token is renewed no more often than this, and ever less often. */
const RENEW_FIRST_MS = 5_000;
const RENEW_LONGEST_MS = 300_000;

/** What the launch template tells the agent: `{"burstDialer": {"controlPlaneUrl": "https://…"}}`; anything else in the user data is not ours. */
export const controlPlaneOf = (userData: string | undefined): string | undefined => {
	let value: unknown;
	try {
		value = JSON.parse(userData ?? "");
	} catch {
		// A script for cloud-init, say.
		return undefined;
	}
	const url = (value as { burstDialer?: { controlPlaneUrl?: unknown } } | null)?.burstDialer?.controlPlaneUrl;
	if (url === undefined) return undefined;
	const parsed = controlPlaneUrlSchema.safeParse(url);
	if (!parsed.success) throw new AgentConfigError("the user data's burstDialer.controlPlaneUrl is no https:// address");
	return parsed.data;
};

interface WhoPorts {
	clock: Clock;
	random: () => number;
	log: Log;
}

export interface WhoOptions {
	/** No enrolment after so long: undefined is answered. */
	limitMs?: number;
	/** Told as soon as it is known, before the enrolment. */
	onNat?: (nat: NonNullable<Who["nat"]>) => Promise<void>;
}

/** Where the instance is: until the metadata service says it. */
const readInstance = async (metadata: Metadata, { clock, log }: WhoPorts) => {
	for (;;) {
		try {
			const { document } = await metadata.identity();
			const [userData, address, ranges] = [
				await metadata.userData(),
				await metadata.publicAddress(),
				await metadata.localNets(),
			];
			return { document: documentSchema.parse(JSON.parse(document)), userData, address, ranges };
		} catch (error) {
			if (!(error instanceof MetadataError)) throw error;
			log.error("noMetadata", { error });
			await new Promise<void>((resolve) => clock.setTimer(METADATA_RETRY_MS, resolve));
		}
	}
};

/** A token that was refused is asked for again, by the same nonce: an answer that came too late may have ended the one we have. */
const renewing = (
	config: AgentConfig,
	first: InstanceRecord & { token: string },
	ports: WhoPorts,
	renew: (nonce: string) => ReturnType<typeof tryEnrolment>,
): (() => Promise<string>) => {
	let record = first;
	let given = false;
	let notBeforeMs = Number.NEGATIVE_INFINITY;
	let pauseMs = RENEW_FIRST_MS;
	return async () => {
		const now = ports.clock.monotonicMs();
		if (!given || now < notBeforeMs) {
			given = true;
			return record.token;
		}
		notBeforeMs = now + pauseMs;
		pauseMs = Math.min(RENEW_LONGEST_MS, pauseMs * 2);
		const { meaning, enrolled, fields } = await renew(record.nonce);
		if (enrolled?.hostId !== record.hostId || enrolled === undefined) {
			ports.log.error("tokenNotRenewed", { meaning, ...fields });
			return record.token;
		}
		record = { ...record, token: enrolled.token };
		await saveInstance(config.stateDir, record);
		ports.log.info("tokenRenewed", {});
		return record.token;
	};
};

/**
 * Finds out who this host is: told by the configuration, or an instance that enrols itself. An instance that is enrolled already at this start (the
 * agent was restarted) is not enrolled again. The state folder's lock must be held.
 * @returns undefined where the limit passed before the instance was enrolled
 * @throws AgentConfigError, EnrolRefusedError
 */
export const whoAmI = async (
	config: AgentConfig,
	ports: WhoPorts,
	options: WhoOptions = {},
): Promise<Who | undefined> => {
	if (config.identity === undefined) {
		const { hostId, controlPlaneUrl, tokenFile } = config;
		if (hostId === undefined || controlPlaneUrl === undefined || tokenFile === undefined) {
			throw new AgentConfigError("hostId, controlPlaneUrl and tokenFile are needed");
		}
		return { hostId, controlPlaneUrl, readToken: () => readSecret(tokenFile) };
	}
	const { log, clock } = ports;
	const metadata = metadataService(config.identity.metadataUrl ?? METADATA_URL);
	const { document, userData, address, ranges } = await readInstance(metadata, ports);
	const localNets = [...ranges, ...(config.identity.localNets ?? [])];
	const { record, movedTo } = await claimState(config.stateDir, document, clock.wallMs());
	if (movedTo !== undefined) {
		log.warn("stateOfAnotherInstance", {
			instanceId: record.instanceId,
			movedTo,
			consequence: "token and journal of the disk's former instance are not used",
		});
	}
	const nat = { address: record.publicAddress ?? address, localNets };
	await options.onNat?.(nat);
	const controlPlaneUrl = config.controlPlaneUrl ?? controlPlaneOf(userData);
	if (controlPlaneUrl === undefined) {
		throw new AgentConfigError(
			'controlPlaneUrl is neither in the configuration nor in the user data of the instance, as {"burstDialer": {"controlPlaneUrl": "https://…"}}',
		);
	}
	const post = postEnrolment(controlPlaneUrl);
	let enrolled = record;
	if (record.hostId === undefined || record.token === undefined) {
		const answer = await enrol({ ...ports, metadata, post }, record, options.limitMs);
		if (answer === undefined) return undefined;
		enrolled = { ...record, ...answer };
		await saveInstance(config.stateDir, enrolled);
		log.info("enrolled", { hostId: answer.hostId, instanceId: record.instanceId, pendingTime: record.pendingTime });
		if (answer.publicAddress !== undefined && isIpv4(answer.publicAddress) && answer.publicAddress !== nat.address) {
			nat.address = answer.publicAddress;
			await options.onNat?.(nat);
		}
	}
	return {
		hostId: enrolled.hostId as string,
		controlPlaneUrl,
		readToken: renewing(config, enrolled as InstanceRecord & { token: string }, ports, (nonce) =>
			tryEnrolment({ metadata, post }, nonce),
		),
		nat,
	};
};
