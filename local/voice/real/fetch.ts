import { mkdir, readdir, readFile } from "node:fs/promises";
import { homedir, platform } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { lock } from "./lock.ts";
import { providePackages } from "./packages.ts";
import { onPath, outputOf, type Runnable } from "./run.ts";
import { VoiceError } from "./voice-error.ts";

/** Asterisk, with what its configuration must name. */
export interface AsteriskProgram extends Runnable {
	moduleDir: string;
	dataDir: string;
}
export interface VoicePrograms {
	asterisk: AsteriskProgram;
	sipp: Runnable;
}

/** The oldest Asterisk that the agent works with. */
const OLDEST_ASTERISK = 18;

/** Where downloads are kept: BURST_DIALER_CACHE, else burst-dialer in the user's cache folder. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
	env["BURST_DIALER_CACHE"] ?? join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "burst-dialer");

/**
 * Finds Asterisk and SIPp: on PATH where both are there, else as packages of the machine's distribution, unpacked into
 * the cache folder (no root, nothing installed).
 * @throws VoiceError where neither works, saying why and what to do
 */
export const providePrograms = async (
	options: { cache?: string; say?: (line: string) => void } = {},
): Promise<VoicePrograms> => {
	if (platform() !== "linux")
		throw new VoiceError(
			`Real Asterisk runs here on Linux only (each host needs a loopback address of its own); this is ${platform()}.`,
		);
	const [asterisk, sipp] = [await asteriskOnPath(), await sippOnPath()];
	if (asterisk !== undefined && sipp !== undefined) return { asterisk, sipp };
	const cache = join(options.cache ?? cacheFolder(), "voice");
	await mkdir(cache, { recursive: true });
	const held = await lock(`voice ${cache}`);
	try {
		const { prefix, suite } = await providePackages(cache, options.say ?? (() => undefined));
		const fetched = await programsIn(prefix, `packages of suite ${suite} in ${cache}`);
		return { asterisk: asterisk ?? fetched.asterisk, sipp: sipp ?? fetched.sipp };
	} finally {
		await held.release();
	}
};

/** The programs among unpacked packages, run by the packages' own loader so that the machine's libraries do not matter. */
const programsIn = async (prefix: string, from: string): Promise<VoicePrograms> => {
	const triplets = (await readdir(join(prefix, "usr/lib"))).filter((name) => /-linux-gnu/.test(name));
	const libraries = triplets.flatMap((triplet) => [join(prefix, "usr/lib", triplet), join(prefix, "lib", triplet)]);
	const folders = ["usr/lib64", "lib64", "usr/lib", "lib"].map((folder) => join(prefix, folder));
	const loader = await firstFile([...folders, ...libraries], /^ld-linux.*\.so/);
	const moduleDir = await firstFolderWith(
		libraries.map((library) => join(library, "asterisk/modules")),
		"res_ari.so",
	);
	const program = (name: string, path: string): Runnable["argv"] => [
		loader,
		"--library-path",
		libraries.join(":"),
		"--argv0",
		name,
		join(prefix, path),
	];
	const run = { env: {}, from };
	const asterisk = program("asterisk", "usr/sbin/asterisk");
	const sipp = program("sipp", "usr/bin/sipp");
	return {
		asterisk: {
			...run,
			argv: asterisk,
			version: await asteriskVersion(asterisk),
			moduleDir,
			dataDir: join(prefix, "usr/share/asterisk"),
		},
		sipp: { ...run, argv: sipp, version: await sippVersion(sipp) },
	};
};

/** What a program prints about itself. It may be on a file system where nothing can be run. */
const asked = async (argv: Runnable["argv"], question: string): Promise<string> => {
	try {
		return (await outputOf(argv, [question])).text;
	} catch (error) {
		throw new VoiceError(`${argv.join(" ")} cannot be run: ${(error as Error).message}`, { cause: error });
	}
};

const asteriskVersion = async (argv: Runnable["argv"]): Promise<string> => {
	const text = await asked(argv, "-V");
	const version = /Asterisk (?:certified[/-])?(\d+\.\S+)/.exec(text)?.[1];
	if (version === undefined) throw new VoiceError(`${argv.join(" ")} -V did not name a version: ${text.slice(0, 500)}`);
	return version;
};

const sippVersion = async (argv: Runnable["argv"]): Promise<string> => {
	const text = await asked(argv, "-v");
	const version = /SIPp v(\d[^\s-]*)/.exec(text)?.[1];
	if (version === undefined) throw new VoiceError(`${argv.join(" ")} -v did not name a version: ${text.slice(0, 500)}`);
	return version;
};

const asteriskOnPath = async (): Promise<AsteriskProgram | undefined> => {
	const path = await onPath("asterisk");
	if (path === undefined) return undefined;
	const version = await asteriskVersion([path]);
	if (Number.parseInt(version, 10) < OLDEST_ASTERISK) return undefined;
	const { astmoddir, astdatadir } = await installedFolders();
	return { argv: [path], env: {}, from: "PATH", version, moduleDir: astmoddir, dataDir: astdatadir };
};

const sippOnPath = async (): Promise<Runnable | undefined> => {
	const path = await onPath("sipp");
	return path === undefined ? undefined : { argv: [path], env: {}, from: "PATH", version: await sippVersion([path]) };
};

/** Where an installed Asterisk has its modules and data: as its own configuration says, else where distributions put them. */
const installedFolders = async (): Promise<{ astmoddir: string; astdatadir: string }> => {
	const conf = await readFile("/etc/asterisk/asterisk.conf", "utf8").catch((error: NodeJS.ErrnoException) => {
		// Not readable for this user, or not there: the usual places are tried.
		if (error.code === "ENOENT" || error.code === "EACCES") return "";
		throw error;
	});
	const named = (key: string): string[] => {
		const value = new RegExp(`^\\s*${key}\\s*=>?\\s*([^;\\s]+)`, "m").exec(conf)?.[1];
		return value === undefined ? [] : [value];
	};
	const triplets = (await readdir("/usr/lib")).filter((name) => /-linux-gnu/.test(name));
	return {
		astmoddir: await firstFolderWith(
			[
				...named("astmoddir"),
				...triplets.map((triplet) => `/usr/lib/${triplet}/asterisk/modules`),
				"/usr/lib/asterisk/modules",
				"/usr/lib64/asterisk/modules",
				"/usr/local/lib/asterisk/modules",
			],
			"res_ari.so",
		),
		astdatadir: await firstFolderWith(
			[...named("astdatadir"), "/usr/share/asterisk", "/var/lib/asterisk", "/usr/local/var/lib/asterisk"],
			"documentation",
		),
	};
};

const entries = async (folder: string): Promise<string[]> => {
	try {
		return await readdir(folder);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT" || code === "EACCES" || code === "ENOTDIR") return [];
		throw error;
	}
};

const firstFile = async (folders: string[], pattern: RegExp): Promise<string> => {
	for (const folder of folders) {
		const file = (await entries(folder)).find((name) => pattern.test(name));
		if (file !== undefined) return join(folder, file);
	}
	throw new VoiceError(`No file ${pattern} in ${folders.join(", ")}. Remove that folder to have it fetched again.`);
};

const firstFolderWith = async (folders: string[], entry: string): Promise<string> => {
	for (const folder of folders) if ((await entries(folder)).includes(entry)) return folder;
	throw new VoiceError(`None of ${folders.join(", ")} has ${entry}: the installation of Asterisk is not complete.`);
};

/** What was found, one line per program. */
export const describePrograms = ({ asterisk, sipp }: VoicePrograms): string =>
	`Asterisk ${asterisk.version} (${asterisk.from}), SIPp ${sipp.version} (${sipp.from})`;

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
	try {
		const programs = await providePrograms({ say: (line) => process.stderr.write(`${line}\n`) });
		process.stdout.write(`${describePrograms(programs)}\n`);
	} catch (error) {
		if (!(error instanceof VoiceError)) throw error;
		process.stderr.write(`${error.message}\n`);
		process.exitCode = 1;
	}
}
