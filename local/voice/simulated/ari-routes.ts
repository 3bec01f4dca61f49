import type { AriApps } from "./ari-apps.ts";
import type { SimAsteriskCore } from "./asterisk-core.ts";
import { CAUSE_OF_REASON } from "./causes.ts";
import { ariTime } from "./channel.ts";

export interface AriRequest {
	method: string;
	/** Below `/ari`, as `/channels/abc`; not decoded. */
	path: string;
	/** Of the query and of the body together. */
	parameters: Record<string, unknown>;
	/** The connection it came on; absent: one of its own. */
	connection?: AriConnection;
}

/**
 * What a thread of Asterisk keeps from request to request: once an id was taken, every later failure to originate on the same connection is
 * answered as if that were the reason (`ast_channel_errno` is never reset).
 */
export interface AriConnection {
	idTaken: boolean;
}

export interface AriAnswer {
	status: number;
	/** Absent with 204. */
	body?: unknown;
	headers?: Record<string, string>;
}

export interface AriContext {
	core: SimAsteriskCore;
	apps: AriApps;
	asteriskId: string;
	now: () => number;
	reload: (module: string) => boolean;
	sounds: () => { id: string; formats: { language: string; format: string }[] }[];
	lastReload: number | undefined;
}

type Parameters = Record<string, unknown>;
type Handler = (context: AriContext, parameters: Parameters, values: string[], connection: AriConnection) => AriAnswer;

export const refuse = (status: number, message: string): AriAnswer => ({ status, body: { message } });
const ok = (body: unknown): AriAnswer => ({ status: 200, body });
const DONE: AriAnswer = { status: 204 };
const NO_CHANNEL = refuse(404, "Channel not found");
const NO_APPLICATION = refuse(404, "Application not found");

const text = (value: unknown): string | undefined =>
	typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
const number = (value: unknown): number | undefined => {
	const read = Number.parseInt(text(value) ?? "", 10);
	return Number.isNaN(read) ? undefined : read;
};

/** Variables as ARI takes them: text, or `{ value, report_events }`. @returns undefined where one is something else */
const variablesOf = (value: unknown): Record<string, string> | undefined => {
	if (typeof value !== "object" || value === null) return {};
	const variables: Record<string, string> = {};
	for (const [name, given] of Object.entries(value)) {
		const plain = typeof given === "object" && given !== null && "value" in given ? given.value : given;
		if (typeof plain !== "string") return undefined;
		variables[name] = plain;
	}
	return variables;
};

const originate: Handler = ({ core }, parameters, [channelId], connection) => {
	const variables = variablesOf(parameters["variables"]);
	if (!variables)
		return refuse(
			400,
			"Each value in 'variables' must be a string or an object with 'value' and optional 'report_events'",
		);
	const id = channelId ?? text(parameters["channelId"]);
	const timeoutSec = number(parameters["timeout"]);
	const priority = number(parameters["priority"]);
	const context = text(parameters["context"]);
	const extension = text(parameters["extension"]);
	const callerId = text(parameters["callerId"]);
	const result = core.originate({
		endpoint: text(parameters["endpoint"]) ?? "",
		variables,
		...(id === undefined ? {} : { channelId: id }),
		...(context === undefined ? {} : { context }),
		...(extension === undefined ? {} : { extension }),
		...(priority === undefined ? {} : { priority }),
		...(callerId === undefined ? {} : { callerId }),
		...(timeoutSec === undefined ? {} : { timeoutSec }),
	});
	if (result.kind === "created") return ok(result.channel);
	if (result.kind === "duplicate") connection.idTaken = true;
	else if (result.status === 400) return refuse(400, result.message);
	return connection.idTaken
		? refuse(409, "Channel with given unique ID already exists")
		: { status: 500, body: { error: "Allocation failed" } };
};

const LARGEST_CAUSE = 127;

const hangup: Handler = ({ core }, parameters, [id = ""]) => {
	if (core.channel(id) === undefined) return NO_CHANNEL;
	const reason = text(parameters["reason"]);
	const code = text(parameters["reason_code"]);
	if (reason && code) return refuse(400, "The reason and reason_code can't both be specified");
	let cause = 16;
	if (code) {
		cause = /^\d+$/.test(code) ? Number(code) : Number.NaN;
		if (!(cause <= LARGEST_CAUSE)) return refuse(400, "Invalid reason for hangup reason code provided");
	} else if (reason) {
		const named = CAUSE_OF_REASON[reason];
		if (named === undefined) return refuse(400, "Invalid reason for hangup reason provided");
		cause = named;
	}
	return core.hangup(id, cause) ? DONE : NO_CHANNEL;
};

const info: Handler = ({ core, asteriskId, lastReload }, parameters) => {
	const all: Record<string, unknown> = {
		build: {
			os: "Linux",
			kernel: "unknown",
			machine: "unknown",
			options: "OPTIONAL_API",
			date: "2026-07-20 21:35:32 UTC",
			user: "nobody",
		},
		system: { version: "22.10.1-simulated", entity_id: asteriskId },
		config: {
			name: "simulated",
			default_language: "en",
			setid: { user: "", group: "" },
			max_open_files: 20_000,
		},
		status: {
			startup_time: ariTime(core.startupTime),
			last_reload_time: ariTime(lastReload ?? core.startupTime),
		},
	};
	const only = text(parameters["only"])?.split(",");
	return ok(only ? Object.fromEntries(Object.entries(all).filter(([key]) => only.includes(key))) : all);
};

/** `endpoint:PJSIP/trunk` or `endpoint:PJSIP`, several with commas. */
const sourcesOf = (parameters: Parameters, { core }: AriContext): string[] | AriAnswer => {
	const given = text(parameters["eventSource"]);
	if (!given) return refuse(400, "Missing parameter eventSource");
	const sources: string[] = [];
	for (const source of given.split(",")) {
		if (!/^(channel|bridge|endpoint|deviceState):/.test(source)) return refuse(400, "Invalid event source URI scheme");
		const name = source.slice(source.indexOf(":") + 1);
		const known = name.includes("/") ? core.endpoints.json(name) !== undefined : /^(PJSIP|IAX2)$/.test(name);
		if (!source.startsWith("endpoint:") || !known) return refuse(422, "Event source does not exist");
		sources.push(name);
	}
	return sources;
};

const subscribe: Handler = (context, parameters, [name = ""]) => {
	const { apps } = context;
	if (apps.json(name) === undefined) return NO_APPLICATION;
	const sources = sourcesOf(parameters, context);
	if (!Array.isArray(sources)) return sources;
	for (const source of sources) apps.subscribe(name, source);
	return ok(apps.json(name));
};

const unsubscribe: Handler = (context, parameters, [name = ""]) => {
	const { apps } = context;
	if (apps.json(name) === undefined) return NO_APPLICATION;
	const sources = sourcesOf(parameters, context);
	if (!Array.isArray(sources)) return sources;
	for (const source of sources)
		if (!apps.unsubscribe(name, source)) return refuse(422, "Event source was not subscribed to");
	return ok(apps.json(name));
};

const typesOf = (value: unknown): { type: string }[] =>
	Array.isArray(value)
		? value.flatMap((each: unknown) => {
				const type = typeof each === "object" && each !== null && "type" in each ? text(each.type) : undefined;
				return type === undefined ? [] : [{ type }];
			})
		: [];

const eventFilter: Handler = ({ apps }, parameters, [name = ""]) => {
	if (apps.json(name) === undefined) return NO_APPLICATION;
	apps.filter(name, {
		allowed: typesOf(parameters["allowed"]),
		disallowed: typesOf(parameters["disallowed"]),
	});
	return ok(apps.json(name));
};

const channelVariable: Handler = ({ core }, parameters, [id = ""]) => {
	if (core.channel(id) === undefined) return NO_CHANNEL;
	const name = text(parameters["variable"]);
	if (!name) return refuse(400, "Variable name is required");
	const value = core.variable(id, name);
	return value === undefined ? refuse(404, "Provided variable was not found") : ok({ value });
};

const found = (body: unknown, message: string): AriAnswer => (body === undefined ? refuse(404, message) : ok(body));

const reload: Handler = (context, _, [module = ""]) => {
	if (!context.reload(module.replace(/\.so$/, ""))) return refuse(404, "Module not found in running modules");
	context.lastReload = context.now();
	return DONE;
};

const endpointsOf = ({ core }: AriContext, technology?: string): unknown[] =>
	core.endpoints
		.names()
		.filter((name) => technology === undefined || name.startsWith(`${technology}/`))
		.map((name) => core.endpoints.json(name));

/** `*` stands for any one segment. */
export const ROUTES: { pattern: readonly string[]; methods: Record<string, Handler> }[] = [
	{ pattern: ["asterisk", "info"], methods: { GET: info } },
	{
		pattern: ["asterisk", "ping"],
		methods: {
			GET: ({ asteriskId, now }) => ok({ ping: "pong", timestamp: ariTime(now()), asterisk_id: asteriskId }),
		},
	},
	{
		pattern: ["asterisk", "variable"],
		methods: {
			GET: (_, parameters) =>
				text(parameters["variable"]) ? ok({ value: "" }) : refuse(400, "Variable name is required"),
		},
	},
	{ pattern: ["asterisk", "modules", "*"], methods: { PUT: reload } },
	{
		pattern: ["applications"],
		methods: { GET: ({ apps }) => ok(apps.names().map((name) => apps.json(name))) },
	},
	{
		pattern: ["applications", "*"],
		methods: { GET: ({ apps }, _, [name = ""]) => found(apps.json(name), "Application not found") },
	},
	{ pattern: ["applications", "*", "subscription"], methods: { POST: subscribe, DELETE: unsubscribe } },
	{ pattern: ["applications", "*", "eventFilter"], methods: { PUT: eventFilter } },
	{
		pattern: ["channels"],
		methods: {
			GET: ({ core }) => ok(core.listChannels()),
			POST: (context, parameters, _, connection) => originate(context, parameters, [], connection),
		},
	},
	{
		pattern: ["channels", "*"],
		methods: {
			GET: ({ core }, _, [id = ""]) => found(core.channel(id), "Channel not found"),
			POST: originate,
			DELETE: hangup,
		},
	},
	{ pattern: ["channels", "*", "variable"], methods: { GET: channelVariable } },
	{ pattern: ["endpoints"], methods: { GET: (context) => ok(endpointsOf(context)) } },
	{
		pattern: ["endpoints", "*"],
		methods: { GET: (context, _, [technology]) => ok(endpointsOf(context, technology)) },
	},
	{
		pattern: ["endpoints", "*", "*"],
		methods: {
			GET: ({ core }, _, [technology, resource]) =>
				found(core.endpoints.json(`${technology}/${resource}`), "Endpoint not found"),
		},
	},
	{ pattern: ["sounds"], methods: { GET: ({ sounds }) => ok(sounds()) } },
	{
		pattern: ["sounds", "*"],
		methods: {
			GET: ({ sounds }, _, [id]) =>
				found(
					sounds().find((sound) => sound.id === id),
					"Sound not found",
				),
		},
	},
];
