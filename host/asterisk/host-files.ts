import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { HostTrunk } from "../../shared/contract/host.ts";
import { readSecret, secretProblem } from "../agent/config-file.ts";
import type { HostFiles, Log } from "../agent/ports.ts";
import { findContexts, findSounds } from "./inventory.ts";
import { OWN_FOLDER, readText, writeFileSafely } from "./own-files.ts";
import { render } from "./render.ts";

/** Lists modules whose files were changed and that were not reloaded yet. */
const PENDING_FILE = ".reload";

/** Which module reads which file. */
const MODULE_OF: Record<string, string> = {
	"pjsip.conf": "res_pjsip.so",
	"iax.conf": "chan_iax2.so",
	"extensions.conf": "pbx_config.so",
};

export interface HostFilesOptions {
	etcDir: string;
	secretsDir: string;
	soundsDirs: string[];
	contextPatterns: string[];
	transport?: string | undefined;
	mediaAddress?: string | undefined;
	/** Has Asterisk read a module's files again. */
	reloadModule: (module: string) => Promise<void>;
	log: Log;
}

/** The agent's own files beside Asterisk's; nothing else is ever written. */
export const hostFiles = (options: HostFilesOptions): HostFiles => {
	const { etcDir, secretsDir, log } = options;
	const folder = join(etcDir, OWN_FOLDER);
	const pendingFile = join(folder, PENDING_FILE);
	let sounds = new Map<string, string>();
	/** One at a time: a newer configuration must not be overtaken by an older one. */
	let queue: Promise<unknown> = Promise.resolve();

	const secret = (name: string): string => {
		const file = join(secretsDir, name);
		const problem = secretProblem(file);
		if (problem !== undefined) throw new Error(`the trunk's secret: ${problem}`);
		return readSecret(file);
	};

	/** Writes what differs; remembers what is to be reloaded before it is written, so that no crash forgets it. */
	const write = async (files: Record<string, string>): Promise<Set<string>> => {
		await mkdir(folder, { recursive: true, mode: 0o750 });
		const pending = new Set((await readText(pendingFile))?.split("\n").filter((name) => name !== "") ?? []);
		for (const [name, text] of Object.entries(files)) {
			if ((await readText(join(folder, name))) === text) continue;
			pending.add(name);
			await writeFileSafely(pendingFile, [...pending].join("\n"));
			await writeFileSafely(join(folder, name), text);
			log.info("asteriskFileWritten", { file: join(folder, name) });
		}
		return pending;
	};

	const reload = async (pending: Set<string>): Promise<boolean> => {
		for (const name of [...pending]) {
			const module = MODULE_OF[name];
			try {
				if (module !== undefined) await options.reloadModule(module);
				pending.delete(name);
			} catch (error) {
				// Asterisk that is down reads the files when it starts; a module that is not loaded has no trunk to change.
				log.warn("moduleNotReloaded", { module, error: error instanceof Error ? error.message : String(error) });
			}
		}
		if (pending.size === 0) await rm(pendingFile, { force: true });
		else await writeFileSafely(pendingFile, [...pending].join("\n"));
		return pending.size > 0;
	};

	/** The operator's file that should include ours. */
	const includeProblem = async (name: string): Promise<string | undefined> => {
		const text = await readText(join(etcDir, name));
		const includes = new RegExp(`^\\s*#(try)?include\\s+["<]?${OWN_FOLDER}/${name.replace(".", "\\.")}`, "m");
		return text !== undefined && includes.test(text)
			? undefined
			: `${join(etcDir, name)} lacks the line: #tryinclude ${OWN_FOLDER}/${name}`;
	};

	const apply = async (trunks: HostTrunk[]): Promise<{ problems: Record<string, string>; unread: boolean }> => {
		const { files, problems } = render(trunks, {
			transport: options.transport,
			mediaAddress: options.mediaAddress,
			secret,
		});
		// iax.conf is not touched on a host without IAX2 trunks that never had one.
		if (
			!trunks.some(({ type }) => type === "iax2") &&
			(await stat(join(folder, "iax.conf")).catch(() => undefined)) === undefined
		) {
			delete files["iax.conf"];
		}
		const unread = await reload(await write(files));
		const dialplan = await includeProblem("extensions.conf");
		for (const trunk of trunks) {
			const include =
				trunk.type === "existing"
					? undefined
					: await includeProblem(trunk.type === "pjsip" ? "pjsip.conf" : "iax.conf");
			const problem = problems[trunk.id] ?? include ?? dialplan;
			if (problem !== undefined) problems[trunk.id] = problem;
		}
		return { problems, unread };
	};

	return {
		soundPath: (name) => sounds.get(name),
		inventory: async () => {
			sounds = await findSounds(options.soundsDirs);
			return { sounds: [...sounds.keys()].sort(), contexts: await findContexts(etcDir, options.contextPatterns) };
		},
		applyTrunks: (trunks) => {
			const result = queue.then(() => apply(trunks));
			queue = result.catch(() => undefined);
			return result;
		},
	};
};
