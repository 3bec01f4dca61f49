import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { type AptSource, ownArchive, parseAptSources, stanzaFor } from "./apt-sources.ts";
import { onPath, outputOf } from "./run.ts";
import { VoiceError } from "./voice-error.ts";

/** What is fetched; apt adds what they need. */
const PACKAGES = ["asterisk", "asterisk-core-sounds-en-gsm", "sip-tester"];

const manifestSchema = z.object({
	suite: z.string(),
	packages: z.array(z.object({ file: z.string().regex(/^[^/]+\.deb$/), sha256: z.string() })).min(1),
});
type Manifest = z.infer<typeof manifestSchema>;

/** Packages on disk, unpacked. */
export interface Unpacked {
	/** Folder that stands for `/`. */
	prefix: string;
	suite: string;
	/** Names of the packages' files, with versions. */
	files: string[];
}

/**
 * Downloads the packages once and unpacks them, with apt's own checks of signatures and without touching the machine's
 * packages; no root. A filled cache needs no network. Not to be called twice at once for one folder: hold a lock.
 */
export const providePackages = async (cache: string, say: (line: string) => void): Promise<Unpacked> => {
	const manifest = (await readManifest(cache)) ?? (await download(cache, say));
	const id = createHash("sha256").update(JSON.stringify(manifest)).digest("hex").slice(0, 12);
	const prefix = join(cache, `root-${id}`);
	const files = manifest.packages.map(({ file }) => file);
	if (await exists(prefix)) return { prefix, suite: manifest.suite, files };
	say(`unpacking ${files.length} packages into ${prefix}`);
	const half = join(cache, `root-${id}.half`);
	await rm(half, { recursive: true, force: true });
	await mkdir(half, { recursive: true });
	for (const { file, sha256 } of manifest.packages) {
		const path = join(cache, "debs", file);
		if ((await sha256Of(path)) !== sha256)
			throw new VoiceError(`${path} is not what was downloaded. Remove the folder ${cache} and start again.`);
		const { code, text } = await outputOf(["dpkg-deb"], ["-x", path, half]);
		if (code !== 0) throw new VoiceError(`dpkg-deb could not unpack ${path} into ${half}: ${text.trim()}`);
	}
	await nameEnglishSounds(half);
	await rename(half, prefix);
	return { prefix, suite: manifest.suite, files };
};

const readManifest = async (cache: string): Promise<Manifest | undefined> => {
	const path = join(cache, "packages.json");
	if (!(await exists(path))) return undefined;
	const manifest = manifestSchema.parse(JSON.parse(await readFile(path, "utf8")));
	const present = await Promise.all(manifest.packages.map(({ file }) => exists(join(cache, "debs", file))));
	return present.every(Boolean) ? manifest : undefined;
};

/** The package names the sounds after their voice and leaves the link that Asterisk looks for to its installation script. */
const nameEnglishSounds = async (prefix: string): Promise<void> => {
	const sounds = join(prefix, "usr/share/asterisk/sounds");
	const voices = await readdir(sounds);
	const english = voices.find((name) => /^en_US/.test(name)) ?? voices.find((name) => /^en_/.test(name));
	if (english !== undefined && !voices.includes("en")) await symlink(english, join(sounds, "en"));
};

const download = async (cache: string, say: (line: string) => void): Promise<Manifest> => {
	for (const tool of ["apt-get", "dpkg", "dpkg-deb"])
		if ((await onPath(tool)) === undefined)
			throw new VoiceError(
				`Asterisk 18 or newer and SIPp are not both on PATH, and without ${tool} they cannot be fetched. Install asterisk and sipp.`,
			);
	const architecture = (await outputOf(["dpkg"], ["--print-architecture"])).text.trim();
	const release = await osRelease();
	const archive = ownArchive(await machineSources(), release.codename);
	if (archive === undefined)
		throw new VoiceError(
			`apt's sources (/etc/apt/sources.list, sources.list.d) name no archive of this distribution (${release.id} ${release.codename}) to fetch Asterisk and SIPp from. Add it, or install asterisk and sipp.`,
		);
	// Debian keeps Asterisk in its rolling suite only; its derivatives have it in the release itself.
	const suites = release.id === "debian" ? ["sid", release.codename] : [release.codename];
	const failures: string[] = [];
	for (const suite of suites) {
		try {
			return await downloadFrom(cache, archive, suite, architecture, say);
		} catch (error) {
			if (!(error instanceof VoiceError)) throw error;
			failures.push(error.message);
		}
	}
	throw new VoiceError(
		`Asterisk and SIPp could not be fetched into ${cache}:\n${failures.join("\n")}\nWith network access start again (what was downloaded is kept), or install asterisk and sipp.`,
	);
};

const downloadFrom = async (
	cache: string,
	archive: AptSource,
	suite: string,
	architecture: string,
	say: (line: string) => void,
): Promise<Manifest> => {
	const apt = join(cache, `apt-${suite}`);
	const debs = join(cache, "debs");
	for (const folder of [join(apt, "lists/partial"), join(apt, "parts"), join(debs, "partial")])
		await mkdir(folder, { recursive: true });
	await writeFile(join(apt, "archive.sources"), stanzaFor(archive, suite, architecture));
	await writeFile(join(apt, "status"), "");
	await writeFile(join(apt, "apt.conf"), aptConf(apt, debs));
	const run = async (what: string, args: string[]): Promise<string> => {
		// The last -c wins over the machine's own configuration, of which proxies and credentials stay in force.
		const { code, text } = await outputOf(["apt-get", "-c", join(apt, "apt.conf")], args, { LC_ALL: "C" });
		if (code !== 0) throw new VoiceError(`suite ${suite}: ${what} failed:\n${text.trim().slice(-2_000)}`);
		return text;
	};
	say(`fetching ${PACKAGES.join(", ")} and what they need from suite ${suite} of this machine's archive`);
	await run("apt-get update", ["-q", "update", "-o", "APT::Update::Error-Mode=any"]);
	const install = ["-q", "-y", "install", ...PACKAGES];
	await run("the download", [...install, "--download-only"]);
	const present = (await readdir(debs)).filter((file) => file.endsWith(".deb"));
	const wanted = await installed(run, install, present);
	const packages = [];
	for (const file of wanted) packages.push({ file, sha256: await sha256Of(join(debs, file)) });
	const manifest = { suite, packages };
	await writeFile(join(cache, "packages.json.half"), JSON.stringify(manifest, null, "\t"));
	await rename(join(cache, "packages.json.half"), join(cache, "packages.json"));
	return manifest;
};

/** The files of exactly the versions that apt would install now: an older download may have left others in the folder. */
const installed = async (
	run: (what: string, args: string[]) => Promise<string>,
	install: string[],
	present: string[],
): Promise<string[]> => {
	const simulated = await run("the list of packages", [...install, "--simulate"]);
	const wanted = [...simulated.matchAll(/^Inst (\S+) \((\S+) .*\[(\S+)\]\)/gm)].map(
		([, name, version, architecture]) =>
			`${name?.replace(/:.*$/, "")}_${version?.replaceAll(":", "%3a")}_${architecture}.deb`,
	);
	const missing = wanted.filter((file) => !present.includes(file));
	if (wanted.length === 0 || missing.length > 0)
		throw new VoiceError(`apt names packages that were not downloaded: ${missing.join(", ") || simulated.slice(-500)}`);
	return wanted;
};

/** A world of its own: nothing installed, nothing of the machine's lists, caches, pins and hooks. Signatures are checked as usual. */
const aptConf = (apt: string, debs: string): string => `
Dir::Etc::sourcelist "${apt}/archive.sources";
Dir::Etc::sourceparts "${apt}/parts";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "${apt}/parts";
Dir::State "${apt}";
Dir::State::lists "${apt}/lists";
Dir::State::status "${apt}/status";
Dir::Cache "${apt}";
Dir::Cache::archives "${debs}";
Dir::Log "${apt}";
APT::Sandbox::User "";
APT::Default-Release "";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Get::AllowUnauthenticated "false";
APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
// A mirror may be a frozen copy.
Acquire::Check-Valid-Until "false";
pkgCacheGen::Essential "none";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
`;

const machineSources = async (): Promise<AptSource[]> => {
	const parts = "/etc/apt/sources.list.d";
	const files = (await exists(parts)) ? (await readdir(parts)).map((name) => join(parts, name)) : [];
	const sources: AptSource[] = [];
	for (const file of ["/etc/apt/sources.list", ...files])
		if (/\.(list|sources)$/.test(file) && (await exists(file)))
			sources.push(...parseAptSources(file, await readFile(file, "utf8")));
	return sources;
};

const osRelease = async (): Promise<{ id: string; codename: string }> => {
	const text = await readFile("/etc/os-release", "utf8");
	const field = (name: string): string => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "";
	return { id: field("ID"), codename: field("VERSION_CODENAME") };
};

const exists = async (path: string): Promise<boolean> => {
	try {
		await stat(path);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
		throw error;
	}
};

const sha256Of = async (path: string): Promise<string> => {
	const hash = createHash("sha256");
	await pipeline(createReadStream(path), hash);
	return hash.digest("hex");
};
