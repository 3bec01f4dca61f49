import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { DEFAULT_TENANT } from "../../shared/store/items.ts";
import { createToken } from "../../shared/tokens/tokens.ts";
import { startAws } from "../aws/aws.ts";
import { createResources } from "../aws/create-resources.ts";
import { LOCAL_ACCOUNT, readDefinitions } from "../aws/definitions.ts";
import { readParamNames, readServerlessFile } from "../aws/serverless-file.ts";
import { TemplateError } from "../aws/template-error.ts";
import { type FaultCounts, mergeFaults, NO_FAULTS } from "../faults/plan.ts";
import type { ControlPlaneOptions } from "../lambda/control-plane.ts";
import { AddressPool } from "../machine/addresses.ts";
import { agentProgram } from "../machine/image.ts";
import { withUnits } from "../metering/use.ts";
import { chooseVoicePlane } from "../voice/choose.ts";
import { claimAddresses } from "../voice/real/addresses.ts";
import { tryLock } from "../voice/real/lock.ts";
import type { Carrier } from "../voice/types.ts";
import { apiClient } from "./api-client.ts";
import { planBurst } from "./burst.ts";
import { NO_BURST } from "./burst-env.ts";
import { Cleanups } from "./cleanups.ts";
import { ControlPlaneProcess } from "./control-plane-process.ts";
import { carrierTrunk, enrol, untilActive } from "./enrol.ts";
import { startFleetServices } from "./fleet-services.ts";
import { type StackHost, startHost } from "./host.ts";
import {
	type BurstOptions,
	DEFAULT_CAPACITY,
	DEFAULT_STEADY,
	MAX_HOSTS,
	StackError,
	type StackOptions,
} from "./options.ts";
import { settingsEnv } from "./settings-env.ts";
import { readState, writeState } from "./state-file.ts";
import type { Stack } from "./types.ts";

export type { Stack } from "./types.ts";

const STAGE = "local";
const SERVERLESS_FILE = fileURLToPath(new URL("../../serverless.yml", import.meta.url));
const CARRIER_PORT = 5060;
/** Addresses of a block: the carrier's, then the hosts'. */
const CARRIER_ADDRESS = 10;
const FIRST_HOST_ADDRESS = 11;

/** Whether the port can be had, before anything else is started. */
const checkPort = (port: number): Promise<void> =>
	new Promise((done, reject) => {
		const server = createServer();
		server.once("error", (cause: NodeJS.ErrnoException) => {
			const why = cause.code === "EADDRINUSE" ? "is in use" : `cannot be used (${cause.code})`;
			reject(new StackError(`Port ${port} ${why}. Choose another: --port N, or --port 0 for a free one.`, { cause }));
		});
		server.listen(port, "127.0.0.1", () => server.close(() => done()));
	});

const checkBurst = (burst: BurstOptions, steady: number): void => {
	if (!Number.isInteger(burst.max) || burst.max + steady > MAX_HOSTS)
		throw new StackError(`Burst hosts and steady hosts together are at most ${MAX_HOSTS}.`);
	if (!(burst.bootSec >= 0)) throw new StackError("The seconds of a boot must be 0 or more.");
};

/** Starts the stack; everything that was started is stopped again where a later part fails. */
export const startStack = async (options: StackOptions = {}): Promise<Stack> => {
	const cleanups = new Cleanups();
	try {
		return await start(options, cleanups);
	} catch (error) {
		await cleanups.run();
		throw error;
	}
};

const start = async (options: StackOptions, cleanups: Cleanups): Promise<Stack> => {
	const { say = () => {}, onOutput = () => {}, env = process.env } = options;
	const steady = options.steady ?? DEFAULT_STEADY;
	const checkpoint = () => options.signal?.throwIfAborted();
	const failed = (message: string): void => {
		if (cleanups.running) return;
		say(message);
		options.onFailure?.(message);
	};
	if (!Number.isInteger(steady) || steady < 0 || steady > MAX_HOSTS) {
		throw new StackError(`The number of steady hosts must be 0 to ${MAX_HOSTS}.`);
	}
	const burst = options.burst !== undefined && options.burst.max > 0 ? options.burst : undefined;
	if (burst) checkBurst(burst, steady);
	const functionSettings = settingsEnv(env, options.settings);
	if (options.port) await checkPort(options.port);

	// The folder.
	const dir = options.dataDir ? resolve(options.dataDir) : mkdtempSync(join(tmpdir(), "burst-dialer-"));
	if (options.dataDir) {
		mkdirSync(dir, { recursive: true });
		if (process.platform === "linux") {
			const held = await tryLock(`data ${dir}`);
			if (!held) throw new StackError(`${dir} is in use by another stack. Stop that one, or choose another folder.`);
			cleanups.add("the data folder", () => held.release());
		}
	} else cleanups.add("the temporary folder", async () => rmSync(dir, { recursive: true, force: true }));
	const logFile = createWriteStream(join(dir, "log"), { mode: 0o600 });
	cleanups.add("the log", () => finished(logFile.end()));
	const output = (text: string): void => {
		if (logFile.writable) logFile.write(text);
		onOutput(text);
	};
	const stateFile = join(dir, "stack.json");
	const state = readState(stateFile);

	// AWS, with the tables, queues and buckets of the deployment.
	const plan = mergeFaults(NO_FAULTS, options.faults ?? {});
	const aws = await startAws({
		kind: options.aws ?? "embedded",
		dir: join(dir, "aws"),
		keep: options.dataDir !== undefined,
		env,
		seed: plan.seed,
		meter: options.meter ?? false,
		...(options.faults ? { faults: plan.dynamo } : {}),
		onOutput: output,
	});
	cleanups.add("AWS", () => aws.stop());
	for (const child of aws.children) {
		child.exited.then(({ expected, how }) => expected || failed(`${child.name} ended (${how}).`));
	}
	checkpoint();
	const serverlessFile = options.serverlessFile ?? SERVERLESS_FILE;
	const [firstCapacity = DEFAULT_CAPACITY] = [options.capacity ?? DEFAULT_CAPACITY].flat();
	const burstPlan =
		burst &&
		(await planBurst({ ...burst, capacity: burst.capacity ?? firstCapacity }, env, readParamNames(serverlessFile)));
	const { params, env: burstVariables } = burstPlan?.given ?? NO_BURST;
	const file = await readServerlessFile(serverlessFile, {
		stage: STAGE,
		region: aws.region,
		accountId: LOCAL_ACCOUNT,
		env,
		params,
	});
	const localUrl = (name: string) => `${aws.sqsEndpoint}/${LOCAL_ACCOUNT}/${name}`;
	const definitions = readDefinitions(file, { region: aws.region, queueUrl: localUrl });
	const log = { info: () => {}, warn: () => {}, error: () => {} };
	const givenUrls = await createResources(aws.clients, definitions, log);
	const queueUrls =
		options.aws === "external"
			? givenUrls
			: Object.fromEntries(definitions.queues.map(({ name }) => [name, localUrl(name)]));
	const tables = Object.fromEntries(definitions.tables.map(({ logicalId, create }) => [logicalId, create.TableName]));
	checkpoint();

	// The voice plane, and addresses for all that is on it.
	const wantsCarrier = (options.carrier ?? "embedded") === "embedded";
	const wantsPlane = wantsCarrier || steady > 0 || burst !== undefined;
	const plane = wantsPlane ? await chooseVoicePlane({ kind: options.asterisk, say }) : undefined;
	if (plane) say(`Asterisk: ${plane.kind} (${plane.note})`);
	checkpoint();
	const block = process.platform === "linux" && plane ? await claimAddresses() : undefined;
	if (block) cleanups.add("the addresses", () => block.release());
	const addressOf = (n: number): string => block?.address(n) ?? "127.0.0.1";
	const addresses = new AddressPool(Array.from({ length: MAX_HOSTS }, (_, i) => addressOf(FIRST_HOST_ADDRESS + i)));
	const program = agentProgram(join(dir, "image"));
	cleanups.add("the agent's program", () => program.stop());
	// Begun here, needed later: whoever needs it hears of a failure.
	if (plane) program.path().catch(() => undefined);

	// EventBridge Scheduler, EC2 and its events.
	let api = "";
	const { scheduler, bursting } = await startFleetServices({
		aws,
		file,
		definitions,
		queueUrl: (name) => queueUrls[name] ?? "",
		dir,
		keep: options.dataDir !== undefined,
		plan: burstPlan,
		machines: plane && {
			addresses,
			plane,
			program: program.path,
			api: () => api,
			agentConfig: options.agentConfig ?? {},
			say: (line) => output(`${line}\n`),
		},
		onOutput: output,
		cleanups,
	});
	checkpoint();

	// The control plane.
	const controlPlaneOptions: ControlPlaneOptions = {
		serverlessFile,
		stage: STAGE,
		port: options.port ?? 0,
		env: {
			...aws.env,
			...functionSettings,
			AWS_ENDPOINT_URL_SCHEDULER: scheduler.endpoint,
			...burstVariables,
			...(bursting ? { AWS_ENDPOINT_URL_EC2: bursting.ec2.endpoint } : {}),
		},
		params,
		queueUrls,
		isolation: options.isolation ?? "shared",
		seed: plan.seed,
		faults: { api: plan.api, messages: plan.messages },
		...(options.tickSec === undefined ? {} : { tickSec: options.tickSec }),
	};
	const controlPlane = new ControlPlaneProcess(controlPlaneOptions, { onOutput: output, onFailure: failed });
	cleanups.add("the control plane", () => controlPlane.stop());
	await controlPlane.start();
	api = controlPlane.url;
	checkpoint();

	// The operator's token, made as the command line makes one.
	const tokens = {
		db: DynamoDBDocumentClient.from(aws.clients.dynamo, { marshallOptions: { removeUndefinedValues: true } }),
		tables: { tokens: tables["TokensTable"] ?? "" },
		now: Date.now,
	};
	const tokenFor = async (name: string, hostId?: string): Promise<string> => {
		if (!tokens.tables.tokens) throw new TemplateError(`${serverlessFile}: there is no TokensTable.`);
		const kind = hostId === undefined ? "operator" : "host";
		return (await createToken(tokens, { tenant: DEFAULT_TENANT, name, kind, hostId })).token;
	};
	const works = async (known: string) => (await apiClient(api, known).request("GET", "/v1/hosts")).status === 200;
	const token =
		state.operatorToken && (await works(state.operatorToken)) ? state.operatorToken : await tokenFor("local stack");
	state.operatorToken = token;
	writeState(stateFile, state);
	const client = apiClient(api, token);

	// The carrier and the hosts.
	let carrier: Carrier | undefined;
	if (wantsCarrier && plane) {
		carrier = await plane.startCarrier({
			address: addressOf(CARRIER_ADDRESS),
			port: CARRIER_PORT,
			dir: join(dir, "carrier"),
		});
		const started = carrier;
		cleanups.add("the carrier", () => started.stop());
		await carrierTrunk(client, carrier);
	}
	const hosts: StackHost[] = [];
	const addHost = async (hostId: string, capacity: number, index?: number): Promise<StackHost> => {
		if (!plane) throw new StackError("This stack has no voice plane: start it with a host or with the carrier.");
		const address = addresses.take();
		const known = state.hosts[hostId]?.token;
		const hostToken = await enrol(client, api, {
			hostId,
			capacity,
			known,
			say,
			makeToken: (name) => tokenFor(name, hostId),
		});
		state.hosts[hostId] = { token: hostToken };
		writeState(stateFile, state);
		const host = await startHost({
			hostId,
			token: hostToken,
			api,
			address,
			dir: join(dir, "hosts", hostId),
			plane,
			program: await program.path(),
			clockSkewMs: index === undefined ? undefined : options.clockSkewMs?.[index],
			agentConfig: options.agentConfig ?? {},
			onFailure: failed,
		});
		hosts.push(host);
		cleanups.add(`the host ${hostId}`, () => host.stop());
		await untilActive(client, host, checkpoint);
		return host;
	};
	const { capacity = DEFAULT_CAPACITY } = options;
	const started = await Promise.allSettled(
		Array.from({ length: steady }, (_, i) =>
			addHost(`steady-${i + 1}`, Array.isArray(capacity) ? (capacity[i] ?? DEFAULT_CAPACITY) : capacity, i),
		),
	);
	for (const result of started) if (result.status === "rejected") throw result.reason;
	hosts.sort((a, b) => Number(a.hostId.slice("steady-".length)) - Number(b.hostId.slice("steady-".length)));
	checkpoint();

	return {
		api,
		token,
		client,
		voice: plane && { kind: plane.kind, note: plane.note },
		hosts,
		burstHosts: () => bursting?.machines.hosts() ?? [],
		machines: bursting?.machines,
		ec2: bursting?.ec2,
		scheduler,
		carrier,
		aws,
		tables,
		controlPlane,
		dir,
		addHost,
		setFaults: async (changes) => {
			const faults = mergeFaults(NO_FAULTS, changes);
			await aws.setFaults(faults.dynamo);
			await controlPlane.call("setFaults", { api: faults.api, messages: faults.messages });
		},
		faultCounts: async () => ({
			...(await aws.faultCounts()),
			...(await controlPlane.call<FaultCounts>("faultCounts")),
		}),
		meterTotals: () => aws.meterTotals(),
		use: async () => {
			const [{ sources }, units] = await Promise.all([controlPlane.usage(), aws.meterTotalsBySource()]);
			return withUnits(sources, units);
		},
		stop: () => cleanups.run(),
	};
};
