import { build } from "esbuild";
import type { FunctionEntry } from "../service.ts";

/**
 * What a function's code asks of AWS, read from its bundle, from which code that it cannot reach is shaken out. It relies on
 * how the project writes it: tables as `tables.<name>` within the call of a function of shared/store/db.ts or of a command,
 * queues as `queues.send("<name>"`, objects as `objects.<method>(`, all else as `new <Some>Command(`.
 */
export interface CodeUses {
	/** `tables.campaigns dynamodb:GetItem`, `tables.contacts/index/due dynamodb:Query`, `queues.imports sqs:SendMessage`, `aws ec2:RunInstances`… */
	uses: Set<string>;
	/** Lines that name a table, or a command, in a way that is not understood. */
	unclear: string[];
}

/** Actions by the function or command that makes the request. Where a condition fails, what stands there is read. */
const TABLE_CALLS: Record<string, readonly string[]> = {
	getItem: ["GetItem"],
	batchGet: ["BatchGetItem"],
	queryAll: ["Query"],
	update: ["UpdateItem", "GetItem"],
	put: ["PutItem", "GetItem"],
	GetCommand: ["GetItem"],
	BatchGetCommand: ["BatchGetItem"],
	QueryCommand: ["Query"],
	PutCommand: ["PutItem"],
	UpdateCommand: ["UpdateItem"],
	DeleteCommand: ["DeleteItem"],
	BatchWriteCommand: ["BatchWriteItem"],
};
const OBJECT_CALLS: Record<string, string> = {
	put: "PutObject",
	presignPost: "PutObject",
	get: "GetObject",
	stream: "GetObject",
	size: "GetObject",
};

/**
 * Actions by command, of services where the target is not named by the code: fences.ts looks at the targets. Who launches an instance gives
 * it tags and hands it a role; who makes an entry of the Scheduler hands it a role.
 */
const SERVICE_COMMANDS: Record<string, readonly string[]> = {
	DescribeInstancesCommand: ["ec2:DescribeInstances"],
	DescribeAddressesCommand: ["ec2:DescribeAddresses"],
	RunInstancesCommand: ["ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"],
	StartInstancesCommand: ["ec2:StartInstances"],
	StopInstancesCommand: ["ec2:StopInstances"],
	TerminateInstancesCommand: ["ec2:TerminateInstances"],
	AssociateAddressCommand: ["ec2:AssociateAddress"],
	CreateScheduleCommand: ["scheduler:CreateSchedule", "iam:PassRole"],
	UpdateScheduleCommand: ["scheduler:UpdateSchedule", "iam:PassRole"],
	DeleteScheduleCommand: ["scheduler:DeleteSchedule"],
};
/** Commands of the adapters behind `queues` and `objects`. */
const OF_ADAPTERS = /^(SendMessageBatch|(Put|Get|Head)Object)Command$/;

const CLOSING = ")]}";
const OPENING = "([{";

/** The innermost known call around a place of the code: its name and the text from its opening parenthesis to the place. */
const enclosingCall = (code: string, place: number): { name: string; start: number } | undefined => {
	let depth = 0;
	for (let i = place - 1; i >= 0; i--) {
		const char = code[i] as string;
		if (CLOSING.includes(char)) depth++;
		else if (OPENING.includes(char)) {
			if (depth > 0) depth--;
			else if (char === "(") {
				// esbuild numbers names that two modules share.
				const [, name = ""] = /(\w+?)\d*$/.exec(code.slice(Math.max(0, i - 60), i)) ?? [];
				if (name in TABLE_CALLS) return { name, start: i };
			}
		}
	}
	return undefined;
};

const endOfCall = (code: string, start: number): number => {
	let depth = 0;
	for (let i = start; i < code.length; i++) {
		if (OPENING.includes(code[i] as string)) depth++;
		else if (CLOSING.includes(code[i] as string) && --depth === 0) return i;
	}
	return code.length;
};

/** Reads a bundle's text; pure. */
export const usesOfCode = (code: string): CodeUses => {
	const result: CodeUses = { uses: new Set(), unclear: [] };
	for (const match of code.matchAll(/\btables\.(\w+)/g)) {
		const call = enclosingCall(code, match.index);
		if (!call) {
			result.unclear.push(code.slice(code.lastIndexOf("\n", match.index) + 1, code.indexOf("\n", match.index)).trim());
			continue;
		}
		const argument = code.slice(call.start, endOfCall(code, call.start));
		const index = /IndexName: "(\w+)"/.exec(argument)?.[1];
		const target = `tables.${match[1]}${index ? `/index/${index}` : ""}`;
		for (const action of TABLE_CALLS[call.name] ?? []) result.uses.add(`${target} dynamodb:${action}`);
	}
	for (const [, queue] of code.matchAll(/\bqueues\.send\(\s*"(\w+)"/g)) {
		result.uses.add(`queues.${queue} sqs:SendMessage`);
	}
	for (const [, method = ""] of code.matchAll(/\bobjects\.(\w+)\(/g)) {
		if (OBJECT_CALLS[method]) result.uses.add(`objects s3:${OBJECT_CALLS[method]}`);
		else result.unclear.push(`objects.${method}(`);
	}
	// esbuild numbers names that two modules share.
	for (const [line, command = ""] of code.matchAll(/\bnew (\w+?Command)\d*\(/g)) {
		const actions = SERVICE_COMMANDS[command];
		for (const action of actions ?? []) result.uses.add(`aws ${action}`);
		if (!actions && !(command in TABLE_CALLS) && !OF_ADAPTERS.test(command)) result.unclear.push(line);
	}
	return result;
};

/** Bundles one function for reading: its own code only, as it is written. */
export const usesOfFunction = async (root: string, fn: FunctionEntry): Promise<CodeUses> => {
	const { outputFiles } = await build({
		absWorkingDir: root,
		entryPoints: [fn.source],
		bundle: true,
		write: false,
		platform: "node",
		target: "node24",
		format: "esm",
		packages: "external",
		// Takes out branches that cannot be reached.
		minifySyntax: true,
		logLevel: "silent",
	});
	return usesOfCode(outputFiles[0]?.text ?? "");
};
