/** The oldest Node that runs this project: the one Lambda runs. */
const OLDEST_MAJOR = 24;

/** Says what to do where npm could not put the pinned Node into node_modules/.bin. */
export const requireNode = (version = process.versions.node): void => {
	if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return;
	process.stderr.write(
		`burst-dialer needs Node ${OLDEST_MAJOR} or newer and was started by ${version}.\n` +
			"On Linux x64 `npm ci` brings it along (start things with `npm run …` or `npx …`); elsewhere install Node 24.\n",
	);
	process.exit(1);
};
