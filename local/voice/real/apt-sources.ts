/** One archive that the machine's own apt is set up with. */
export interface AptSource {
	uri: string;
	suites: string[];
	components: string[];
	/** As written there: a path, or a key of several lines. Absent: apt's default trust. */
	signedBy?: string;
}

const words = (text: string | undefined): string[] => (text ?? "").split(/\s+/).filter((word) => word !== "");

/** `deb [signed-by=…] URI SUITE COMPONENT…`, one per line. */
const parseOneLine = (text: string): AptSource[] =>
	text.split("\n").flatMap((line) => {
		const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
		if (match === null) return [];
		const [, options, uri, suite, components] = match;
		if (uri === undefined || suite === undefined) return [];
		const signedBy = words(options)
			.find((option) => option.startsWith("signed-by="))
			?.slice("signed-by=".length);
		return [{ uri, suites: [suite], components: words(components), ...(signedBy === undefined ? {} : { signedBy }) }];
	});

const fieldsOf = (stanza: string): Map<string, string> => {
	const fields = new Map<string, string>();
	let current: string | undefined;
	for (const line of stanza.split("\n")) {
		if (line.startsWith("#")) continue;
		const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
		if (match?.[1] !== undefined) {
			current = match[1].toLowerCase();
			fields.set(current, match[2] ?? "");
		} else if (current !== undefined && /^\s/.test(line)) fields.set(current, `${fields.get(current)}\n${line}`);
	}
	return fields;
};

/** The deb822 format: stanzas of `Types:`, `URIs:`, `Suites:` and so on. */
const parseStanzas = (text: string): AptSource[] =>
	text.split(/\n\s*\n/).flatMap((stanza) => {
		const fields = fieldsOf(stanza);
		if (/^(no|false|0)$/i.test(fields.get("enabled")?.trim() ?? "") || !words(fields.get("types")).includes("deb"))
			return [];
		const signedBy = fields.get("signed-by");
		return words(fields.get("uris")).map((uri) => ({
			uri,
			suites: words(fields.get("suites")),
			components: words(fields.get("components")),
			...(signedBy === undefined ? {} : { signedBy }),
		}));
	});

/** @param name of the file: `.sources` is deb822, all else one source per line */
export const parseAptSources = (name: string, text: string): AptSource[] =>
	name.endsWith(".sources") ? parseStanzas(text) : parseOneLine(text);

/** Names under which a distribution's own archive goes where its release has a name that moves. */
const ROLLING = ["stable", "oldstable", "testing", "unstable", "sid"];

/**
 * The distribution's own archive among the sources (not security updates, not a third party's).
 * @param codename as in /etc/os-release, VERSION_CODENAME
 */
export const ownArchive = (sources: AptSource[], codename: string): AptSource | undefined => {
	const own = sources.filter(
		({ suites, components }) =>
			components.includes("main") && suites.some((suite) => suite === codename || ROLLING.includes(suite)),
	);
	return own.find(({ uri }) => /\/(debian|ubuntu|ubuntu-ports)\/?$/.test(uri)) ?? own[0];
};

/** The source as a stanza for another suite of the same archive. */
export const stanzaFor = (source: AptSource, suite: string, architecture: string): string =>
	[
		"Types: deb",
		`URIs: ${source.uri}`,
		`Suites: ${suite}`,
		`Components: ${source.components.join(" ")}`,
		`Architectures: ${architecture}`,
		...(source.signedBy === undefined ? [] : [`Signed-By: ${source.signedBy}`]),
		"",
	].join("\n");
