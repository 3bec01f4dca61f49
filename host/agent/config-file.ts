import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { CONTEXT_PATTERN } from "../../shared/contract/call.ts";
import { nameSchema } from "../../shared/contract/trunk.ts";

/** The configuration cannot be used; the message names every mistake. */
export class AgentConfigError extends Error {
	override readonly name = "AgentConfigError";
}

const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\])$/;
const path = z.string().regex(/^\/[^\0\n]*$/, "an absolute path");
/** Sounds' paths become arguments of Playback(). */
const soundsPath = z.string().regex(/^\/[A-Za-z0-9_./-]+$/, "an absolute path of letters, digits, _ . / and - only");

export const controlPlaneUrlSchema = z.string().refine((text) => {
	if (!URL.canParse(text)) return false;
	const url = new URL(text);
	return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
}, "an https:// address (http:// only to this machine)");

/** The link-local address at which every instance finds its own metadata. */
const METADATA_HOST = "169.254.169.254";

export const agentConfigSchema = z.strictObject({
	/** The id that the host was enrolled with. Not with `identity`. */
	hostId: nameSchema.optional(),
	/** Address of the API, without `/v1`. With `identity` it may come from the instance's user data. */
	controlPlaneUrl: controlPlaneUrlSchema.optional(),
	/** File with the host's token; readable by the agent's user (and group) only. Not with `identity`. */
	tokenFile: path.optional(),
	/** The host is an EC2 instance: it enrols itself at every start, by its signed identity document. */
	identity: z
		.strictObject({
			/** The instance metadata service; default http://169.254.169.254. */
			metadataUrl: z
				.string()
				.refine((text) => {
					if (!URL.canParse(text)) return false;
					const url = new URL(text);
					return url.protocol === "http:" && (url.hostname === METADATA_HOST || LOOPBACK.test(url.hostname));
				}, `http://${METADATA_HOST}, or an http:// address on this machine`)
				.optional(),
			/** IPv4 ranges that Asterisk reaches without the NAT, besides the instance's VPC: a VPN's, say. */
			localNets: z.array(z.cidrv4()).max(50).optional(),
		})
		.optional(),
	/** Folder of the journal and the lock, the agent's own. */
	stateDir: path,
	/** Folder of trunks' passwords: `secretRef` `host:NAME` is the file NAME. */
	secretsDir: path,
	/** Folders with sound files that campaigns may play. */
	soundsDirs: z.array(soundsPath).default(["/var/lib/asterisk/sounds/burst-dialer"]),
	/** Contexts that campaigns may name; `*` stands for any characters. One without `*` counts as there. */
	contexts: z
		.array(z.string().regex(/^[A-Za-z0-9_*-]{1,64}$/, "letters, digits, _, - and * only"))
		.default(["burst-*"]),
	asterisk: z.strictObject({
		/** Address of ARI, as http://127.0.0.1:8088/ari: on this machine. */
		ari: z.string().refine((text) => {
			if (!URL.canParse(text)) return false;
			const url = new URL(text);
			return url.protocol === "http:" && LOOPBACK.test(url.hostname);
		}, "an http:// address on this machine, as http://127.0.0.1:8088/ari"),
		username: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, "letters, digits, _ . and - only"),
		/** File with ARI's password, which is also the one that Asterisk sends to the agent. */
		passwordFile: path,
		/** Asterisk's folder of configuration. */
		etcDir: path.default("/etc/asterisk"),
		/** `outbound`: Asterisk 22 connects to the agent and queues events while it is away. `inbound`: the agent connects to Asterisk. */
		events: z.enum(["outbound", "inbound"]).default("outbound"),
		/** Where the agent listens for Asterisk (`outbound`): on this machine. */
		listenAddress: z.string().regex(LOOPBACK, "a loopback address").default("127.0.0.1"),
		listenPort: z.int().min(0).max(65_535).default(8_090),
		/** Name of the transport for rendered trunks; default: whatever Asterisk chooses. */
		transport: z
			.string()
			.regex(/^[A-Za-z0-9_.-]{1,64}$/, "letters, digits, _ . and - only")
			.optional(),
		/** Address for RTP of rendered trunks, for machines with several Asterisks. */
		mediaAddress: z.ipv4().optional(),
	}),
	/** Figures of the agent that differ from the shipped ones, for tests. */
	settings: z.record(z.string(), z.number()).default({}),
});
export type AgentConfig = z.infer<typeof agentConfigSchema>;

const problemsOf = (error: z.ZodError): string[] =>
	error.issues.map((issue) => `${issue.path.length === 0 ? "(file)" : issue.path.join(".")}: ${issue.message}`);

/**
 * Reads and checks the configuration file.
 * @throws AgentConfigError with all mistakes at once
 */
export const readAgentConfig = (file: string): AgentConfig => {
	let value: unknown;
	try {
		value = JSON.parse(readFileSync(file, "utf8"));
	} catch (error) {
		throw new AgentConfigError(`${file} cannot be read as JSON: ${(error as Error).message}`, { cause: error });
	}
	const parsed = agentConfigSchema.safeParse(value);
	const problems = [...(parsed.success ? [] : problemsOf(parsed.error)), ...identityProblems(value)];
	if (parsed.success) {
		for (const [field, secret] of [
			["tokenFile", parsed.data.tokenFile],
			["asterisk.passwordFile", parsed.data.asterisk.passwordFile],
		] as const) {
			if (secret === undefined) continue;
			const problem = secretProblem(secret);
			if (problem !== undefined) problems.push(`${field}: ${problem}`);
		}
		for (const context of parsed.data.contexts) {
			if (!context.includes("*") && !CONTEXT_PATTERN.test(context))
				problems.push(`contexts: "${context}" is no context's name`);
		}
	}
	if (!parsed.success || problems.length > 0) {
		throw new AgentConfigError(
			`${file} has ${problems.length} mistake(s):\n${problems.map((text) => `  ${text}`).join("\n")}`,
		);
	}
	return parsed.data;
};

/** Who the host is is told, or found out; never both. */
const identityProblems = (value: unknown): string[] => {
	// What is no object at all is a mistake that the schema names.
	if (typeof value !== "object" || value === null) return [];
	const config = value as Partial<Record<keyof AgentConfig, unknown>>;
	if (config.identity !== undefined) {
		return (["hostId", "tokenFile"] as const)
			.filter((field) => config[field] !== undefined)
			.map((field) => `${field}: not together with identity: an instance gets id and token by itself`);
	}
	return (["hostId", "controlPlaneUrl", "tokenFile"] as const)
		.filter((field) => config[field] === undefined)
		.map((field) => `${field}: is missing`);
};

/** What is wrong with a file that holds a secret; undefined if nothing is. */
export const secretProblem = (file: string): string | undefined => {
	try {
		const { mode } = statSync(file);
		if ((mode & 0o007) !== 0) return `${file} can be read by everybody; chmod o-rwx it`;
		return readFileSync(file, "utf8").trim() === "" ? `${file} is empty` : undefined;
	} catch (error) {
		return `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`;
	}
};

/** A secret's text. Call {@link secretProblem} first. */
export const readSecret = (file: string): string => readFileSync(file, "utf8").trim();
