import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { CliError, usageError } from "./errors.ts";
import type { Io } from "./io.ts";

/** Options that every command takes. */
export interface GlobalOptions {
	url?: string;
	token?: string;
	config?: string;
	json?: boolean;
}

/** Where the API is and what to show it. */
export interface Connection {
	/** Without a trailing slash. */
	url: string;
	token: string;
}

const fileSchema = z.strictObject({ url: z.string().optional(), token: z.string().optional() });

/** Permissions of others on a file: anybody who reads it can dial. */
const OTHERS_MAY_READ = 0o044;

const defaultFile = (io: Io): string =>
	join(io.env["XDG_CONFIG_HOME"] || join(io.home, ".config"), "burst-dialer.json");

/** The prices that AWS was asked for: beside the settings. */
export const priceListFile = (io: Io, { config }: GlobalOptions): string =>
	join(dirname(config ?? defaultFile(io)), "burst-dialer-prices.json");

const readSettingsFile = async (io: Io, given: string | undefined): Promise<z.infer<typeof fileSchema>> => {
	const path = given ?? defaultFile(io);
	let text: string;
	try {
		text = await readFile(path, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT" && given === undefined) return {};
		throw new CliError(`The settings file cannot be read: ${(error as Error).message}`, {
			code: "file",
			where: path,
			cause: error,
		});
	}
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch (error) {
		throw new CliError("The settings file is not JSON.", {
			code: "file",
			where: path,
			remedy: 'make it { "url": "https://…", "token": "…" }',
			cause: error,
		});
	}
	const settings = fileSchema.safeParse(parsed);
	if (!settings.success) {
		throw new CliError("The settings file has a mistake.", {
			code: "file",
			where: path,
			details: settings.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message })),
			remedy: 'make it { "url": "https://…", "token": "…" }',
		});
	}
	if (settings.data.token && ((await stat(path)).mode & OTHERS_MAY_READ) !== 0) {
		io.err.write(`Note: other users of this machine can read the token in ${path}; chmod 600 it.\n`);
	}
	return settings.data;
};

const isLoopback = (hostname: string): boolean =>
	hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);

/** Checks the address: HTTPS, or HTTP on this machine, since the token travels with every request. */
const parseUrl = (given: string): string => {
	let url: URL;
	try {
		url = new URL(given);
	} catch {
		throw usageError(
			`"${given}" is no URL of an API.`,
			"give it as in https://abc.execute-api.eu-west-1.amazonaws.com",
		);
	}
	if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
		throw usageError(
			`${url.origin} is not HTTPS: the token would travel readable to everybody on the way.`,
			"use the https:// address; plain http:// is accepted for this machine only (127.0.0.1)",
		);
	}
	return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
};

/** Address and token: from the options, else the environment, else the settings file. */
export const resolveConnection = async (io: Io, options: GlobalOptions): Promise<Connection> => {
	const url = options.url ?? io.env["BURST_DIALER_URL"];
	const token = options.token ?? io.env["BURST_DIALER_TOKEN"];
	const file = url && token && options.config === undefined ? {} : await readSettingsFile(io, options.config);
	const chosenUrl = url || file.url;
	const chosenToken = token || file.token;
	if (!chosenUrl) {
		throw usageError(
			"The address of the API is not known.",
			`set BURST_DIALER_URL, or give --url, or write { "url": …, "token": … } to ${defaultFile(io)}`,
		);
	}
	if (!chosenToken) {
		throw usageError(
			"There is no token.",
			"set BURST_DIALER_TOKEN (or --token, or the settings file); make one with `burst-dialer token create NAME`",
		);
	}
	if (!/^[\x21-\x7e]+$/.test(chosenToken)) {
		throw usageError("The token contains characters that no token has.", "check for a line break or a blank in it");
	}
	return { url: parseUrl(chosenUrl), token: chosenToken };
};
