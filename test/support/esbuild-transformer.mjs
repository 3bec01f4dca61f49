import { transformSync } from "esbuild";

/** TypeScript to ES modules for jest: types are taken off, nothing else changes. */
export default {
	process(source, path) {
		const { code, map } = transformSync(source, {
			loader: "ts",
			format: "esm",
			target: "node24",
			sourcemap: "external",
			sourcefile: path,
		});
		return { code, map };
	},
};
