#!/usr/bin/env python3
"""Official eCQMs: speed, memory and counts, beside fqm-execution (npm), in one run on the same machine.

Usage: tests/bench/measures_vs_fqm.py [--tandem target/release/tandem] [--measures CMS122,CMS130] [--format json]
Needs: node and npm (fqm-execution is installed into the work folder); the decks and replicate_deck.py of
../shared. Exit code 1: a program failed, or Tandem's counts over k copies of a deck are not k times those of one.

1. A measure at a time: Tandem on the deck replicated to --patients, fqm-execution on --fqm-patients, one after
   the other. Both numbers are rounded up to whole copies of the deck, so that counts can be compared exactly.
2. All measures in one pass over --all-patients, the same share of every deck. What the counts must be follows
   from 38 small runs, each of all measures over one copy of one deck.

Tandem is timed as a command: start, reading the package, compiling, reading the lake, evaluating, reports. Its
import is timed apart. fqm-execution is timed inside its process, warm, with resources already parsed, its ELM
cache on and all optional output off: what it needs to start, read and parse is not in its figures.
"""
import argparse, collections, glob, json, math, os, platform, re, shutil, statistics, subprocess, sys, tempfile, time

FQM_VERSION = "1.8.6"
DEFAULT = "CMS122,CMS130,CMS69,CMS2,CMS104"
# ms of wall time a patient at 10,000 patients on 2 cores. Quoted, not measured here.
FHIR4DS = {"CMS130": 0.42, "CMS69": 0.55, "CMS122": 1.4}
FACTOR, BUDGET, AIM = 5, 10_000, 20_000

FQM = r"""
const fs = require('fs'), path = require('path'), { performance } = require('perf_hooks');
const { Calculator } = require('fqm-execution');
const [jobFile, outFile] = process.argv.slice(2);
const json = f => JSON.parse(fs.readFileSync(f, 'utf8'));
const ndjson = f => fs.readFileSync(f, 'utf8').split('\n').filter(Boolean).map(l => JSON.parse(l));
const files = d => fs.readdirSync(d).map(f => path.join(d, f));
const bundle = resources => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map(resource => ({ resource })) });
const job = json(jobFile);

// fqm finds a library by url and version: take both from the ELM. Only what the measure includes, as its steward
// would bundle it: `calculate` walks through all libraries of the bundle, for each patient.
const measure = json(path.join(job.deck, 'measure.json'));
const known = new Map();
for (const l of files(job.libraries).map(json)) {
  const { library } = JSON.parse(Buffer.from(l.content.find(c => c.contentType == 'application/elm+json').data, 'base64'));
  const { id, version } = library.identifier;
  Object.assign(l, { name: id, version, url: l.url.replace(/\/[^/]*$/, '/' + id) });
  known.set(`${id}|${version}`, { resource: l, includes: (library.includes?.def || []).map(i => `${i.path.split('/').pop()}|${i.version}`) });
}
const [name, version] = measure.library[0].split('/').pop().split('|');
const open = [...known.keys()].filter(k => version ? k == `${name}|${version}` : k.startsWith(name + '|'));
const needed = new Set();
while (open.length) {
  const key = open.pop();
  if (needed.has(key)) continue;
  if (!known.has(key)) throw new Error(`no library ${key}`);
  needed.add(key);
  open.push(...known.get(key).includes);
}
const libraries = [...needed].map(k => known.get(k).resource);
delete measure.supplementalData;
const empty = job.missing.map(url => ({ resourceType: 'ValueSet', url, status: 'active', expansion: { contains: [] } }));
const measureBundle = bundle([measure, ...libraries, ...ndjson(path.join(job.deck, 'valuesets.ndjson')), ...empty]);

// A bundle a patient: what is linked to it, and what its case shares.
const cases = json(path.join(job.deck, 'expected.json'));
const byPatient = new Map(cases.map(c => [c.patient, []]));
const shared = new Map();
for (const c of cases) for (const s of c.shared || []) shared.set(s, (shared.get(s) || new Set()).add(c.patient));
for (const r of files(path.join(job.deck, 'data')).flatMap(ndjson)) {
  const link = (r.subject || r.patient || r.beneficiary || r.for || {}).reference || '';
  const owners = new Set(shared.get(`${r.resourceType}/${r.id}`) || []);
  owners.add(r.resourceType == 'Patient' ? r.id : link.split('/').pop());
  for (const owner of owners) byPatient.get(owner)?.push(r);
}
const bundles = [...byPatient.values()].map(bundle);
const batches = [];
// A call has costs of its own, and a large one keeps much in memory: around 200 patients are fastest.
for (let i = 0; i < bundles.length; i += job.batch) batches.push(bundles.slice(i, i + job.batch));

const options = {
  measurementPeriodStart: job.period[0] + 'T00:00:00.000Z', measurementPeriodEnd: job.period[1] + 'T23:59:59.999Z',
  calculateHTML: false, calculateClauseCoverage: false, calculateClauseUncoverage: false, calculateCoverageDetails: false,
  disableHTMLOrdering: true, calculateSDEs: false, calculateRAVs: false, verboseCalculationResults: false,
  trustMetaProfile: true, useElmJsonsCaching: true
};
const call = async (name, batch, more) => {
  const result = await Calculator[name](measureBundle, batch, { ...options, ...more });
  const error = result.errorMessage || result.results?.errorMessage;
  if (error) throw new Error(error);
  return result;
};
const timed = async name => {
  const cpu = process.cpuUsage(), start = performance.now();
  for (const batch of batches) await call(name, batch);
  const wall = (performance.now() - start) / 1000, used = process.cpuUsage(cpu);
  return { wall, cpu: (used.user + used.system) / 1e6 };
};
const counts = results => {
  const sums = {};
  for (const group of results.flatMap(r => r.detailedResults)) {
    const rows = group.episodeResults ? group.episodeResults.flatMap(e => e.populationResults) : group.populationResults;
    for (const p of rows) {
      if (p.populationType == 'measure-observation') continue;
      const key = `${group.groupId}/${p.populationType}`;
      sums[key] = (sums[key] || 0) + (p.result ? 1 : 0);
    }
  }
  return sums;
};
(async () => {
  const out = { patients: bundles.length, node: process.version };
  out.counts = counts((await call('calculate', bundles.slice(0, job.copy), { verboseCalculationResults: true })).results);
  for (const name of ['calculate', 'calculateRaw']) {
    await timed(name);
    out[name] = [];
    for (let i = 0; i < job.runs; i++) out[name].push(await timed(name));
  }
  out.peak_mib = process.resourceUsage().maxRSS / 1024;
  fs.writeFileSync(outFile, JSON.stringify(out));
})().catch(e => { console.error(e); process.exit(1); });
"""


class Failed(Exception):
    pass


def say(text):
    print(text, file=sys.stderr, flush=True)


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def run(command, log, env=None):
    """Wall, CPU and peak memory of a process, by the kernel; its output goes to a file."""
    with open(log, "wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        tail = open(log, errors="replace").read()[-2000:].strip()
        raise Failed(f"{' '.join(command[:3])} … ended with {process.returncode}, output in {log}:\n{tail}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}


def summary(runs):
    """Best and median; of memory the highest."""
    out = {"runs": runs}
    for key in ["wall", "cpu"]:
        values = [r[key] for r in runs]
        out[key] = {"best": min(values), "median": statistics.median(values)}
    if "peak_mib" in runs[0]:
        out["peak_mib"] = max(r["peak_mib"] for r in runs)
    return out


# Decks


class Deck:
    def __init__(self, path, missing):
        self.path = path
        self.name = os.path.basename(path)
        self.short = re.match(r"CMS\d+", self.name)[0]
        cases = read_json(path + "/expected.json")
        self.size = len({c["patient"] for c in cases})
        self.period = collections.Counter((c["periodStart"], c["periodEnd"]) for c in cases).most_common(1)[0][0]
        self.one_period = all((c["periodStart"], c["periodEnd"]) == self.period for c in cases)
        self.url = read_json(path + "/measure.json")["url"].split("|")[0]
        self.missing = missing.get(self.name, [])
        self.expected = collections.Counter()
        for case in cases:
            for group in case["groups"]:
                for code, count in group["populations"].items():
                    self.expected[f"{group['id']}/{code}"] += count

    def copies(self, patients):
        return max(1, math.ceil(patients / self.size))


def find_decks(folder):
    missing = read_json(folder + "/missing_valuesets.json") if os.path.exists(folder + "/missing_valuesets.json") else {}
    paths = sorted(os.path.dirname(p) for p in glob.glob(folder + "/CMS*/measure.json"))
    return [Deck(p, missing) for p in paths]


def chosen(decks, names):
    if names == "all":
        return decks
    out = []
    for name in names.split(","):
        found = [d for d in decks if name in (d.short, d.name)]
        if len(found) != 1:
            sys.exit(f"--measures {name}: {len(found)} decks have this name; there are {', '.join(d.short for d in decks)}")
        out += found
    return out


def replicate(args, deck, copies, mark=None):
    """The deck copied so often, from the work folder if it is there. With a mark ids differ from other marks' ids:
    copy k of replicate_deck.py ends in -r<k, 6 digits>; the first two of them become the mark."""
    name = f"{deck.name}-{copies}" + ("" if mark is None else f"-m{mark:02d}")
    folder = f"{args.work}/decks/{name}"
    if os.path.exists(folder + "/done"):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    command = [sys.executable, args.replicate, deck.path, folder, str(copies * deck.size)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"replicate_deck.py failed on {deck.name}:\n{done.stderr[-2000:]}")
    if mark is not None:
        if copies >= 10_000 or mark > 99:
            raise Failed(f"{deck.name}: {copies} copies under mark {mark} are too many for marked ids")
        for path in glob.glob(folder + "/data/*.ndjson") + [folder + "/expected.json"]:
            source = path.replace(folder, deck.path, 1)
            if b"-r00" in open(source, "rb").read():
                raise Failed(f"{source} has `-r00` of its own: its ids cannot be marked")
            with open(path, "rb") as lines, open(path + ".new", "wb") as out:
                for line in lines:
                    out.write(line.replace(b"-r00", b"-r%02d" % mark))
            os.replace(path + ".new", path)
    open(folder + "/done", "w").write(done.stdout)
    return folder


def resources_in(folder):
    return json.loads(open(folder + "/done").read())["resources"]


def warm(folders):
    """Reads files once, so that all programs read them from memory."""
    for folder in folders:
        for path, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(path, name), "rb") as file:
                    while file.read(1 << 20):
                        pass


# Tandem


def tandem_import(args, folders, lake):
    shutil.rmtree(lake, ignore_errors=True)
    warm(f + "/data" for f in folders)
    out = run([args.tandem, "import", *(f + "/data" for f in folders), "--lake", lake], lake + ".import.log")
    out["resources"] = sum(resources_in(f) for f in folders)
    return out


def tandem_run(args, decks, lake, out, period):
    """One pass of these decks' measures."""
    shutil.rmtree(out, ignore_errors=True)
    package = [p for d in decks for p in (d.path + "/measure.json", d.path + "/valuesets.ndjson")]
    command = [args.tandem, "measure", "run", *package, args.decks + "/libraries", "--lake", lake, "--period", "..".join(period)]
    command += ["--out", out, "--explain"]
    if any(d.missing for d in decks):
        command.append("--allow-missing-valuesets")
    done = run(command, out + ".log")
    done["explain"] = explain(open(out + ".log", errors="replace").read())
    return done


DURATION = re.compile(r"([\d.]+)\s*(ns|µs|us|ms|s)$")
UNITS = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def explain(text):
    """What --explain prints: `evaluated in 1.20 s` and `  name = value`. Times come out in seconds."""
    out = {"steps": {}, "times": {}, "values": {}}
    for line in text.splitlines():
        step = re.fullmatch(r"\s*(\w[\w ]{0,40}?) in ([\d.]+) ?s", line.rstrip(" .:"))
        value = re.fullmatch(r"\s+([\w.]+) = (.+)", line)
        if step:
            out["steps"][step[1]] = float(step[2])
        elif value:
            time_ = DURATION.match(value[2].strip())
            if time_:
                out["times"][value[1]] = float(time_[1]) * UNITS[time_[2]]
            else:
                out["values"][value[1]] = value[2].strip()
    return out


def counts_of(report):
    """All counts of a MeasureReport, also those that could not be told, by where they stand. Zeros are left out."""
    out = collections.Counter()

    def counted(node, at):
        seen = collections.Counter()
        for population in node.get("population", []):
            code = population["code"]["coding"][0]["code"]
            seen[code] += 1
            place = code if seen[code] == 1 else f"{code}#{seen[code]}"
            out[f"{at}/{place}"] += population.get("count", 0)
        for extension in node.get("extension", []):
            if extension["url"].endswith("/not-evaluable"):
                out[f"{at}/not-evaluable"] += sum(e["valueInteger"] for e in extension["extension"] if e["url"] == "count")

    for i, group in enumerate(report.get("group", [])):
        at = group.get("id", f"group {i + 1}")
        counted(group, at)
        for j, stratifier in enumerate(group.get("stratifier", [])):
            for stratum in stratifier.get("stratum", []):
                name = stratum.get("value") or [c["value"] for c in stratum.get("component", [])]
                counted(stratum, f"{at}/{stratifier.get('id', j + 1)}={json.dumps(name, sort_keys=True)}")
    return collections.Counter({k: n for k, n in out.items() if n})


def counts_in(out):
    """Counts by the measure's url."""
    reports = [read_json(p) for p in sorted(glob.glob(out + "/MeasureReport-*.json"))]
    return {r["measure"].split("|")[0]: counts_of(r) for r in reports}


def counts_for(deck, out):
    found = counts_in(out)
    if deck.url not in found:
        raise Failed(f"{deck.name}: no MeasureReport of {deck.url} in {out}; there are: {', '.join(found) or 'none'}")
    return found[deck.url]


def times(counts, factor):
    return collections.Counter({k: n * factor for k, n in counts.items()})


def differences(want, got):
    keys = sorted(k for k in {*want, *got} if want.get(k, 0) != got.get(k, 0))
    return [f"{k}: {want.get(k, 0)} expected, {got.get(k, 0)} found" for k in keys]


def whole(counts):
    """Without strata, observations and what could not be told: what expected.json and fqm give too."""
    return {k: n for k, n in counts.items() if k.count("/") == 1 and not re.search("measure-observation|not-evaluable", k)}


def tandem_measure(args, deck):
    copies = deck.copies(args.patients)
    patients = copies * deck.size
    say(f"{deck.short}: replicating {deck.size} patients to {patients:,}")
    one, many = replicate(args, deck, 1), replicate(args, deck, copies)
    lakes = [f"{args.work}/lakes/{os.path.basename(f)}" for f in (one, many)]
    tandem_import(args, [one], lakes[0])
    imported = tandem_import(args, [many], lakes[1])
    outs = [f"{args.work}/out/{deck.name}-{c}" for c in ("one", "many")]
    fixed = tandem_run(args, [deck], lakes[0], outs[0], deck.period)
    say(f"{deck.short}: tandem, warm-up and {args.runs} runs")
    runs = [tandem_run(args, [deck], lakes[1], outs[1], deck.period) for _ in range(args.runs + 1)][1:]
    base, found = counts_for(deck, outs[0]), counts_for(deck, outs[1])
    for lake in lakes:
        shutil.rmtree(lake)
    out = summary(runs)
    out.update(copies=copies, patients=patients, resources=imported["resources"], imported=imported, one_copy=fixed)
    out["base_counts"] = base
    out["wrong_counts"] = differences(times(base, copies), found)
    if deck.one_period:
        out["differs_from_published"] = differences(deck.expected, whole(base))
    rates(out)
    return out


def rates(out):
    patients = out["patients"]
    out["patients_s"] = {k: patients / v for k, v in out["wall"].items()}
    out["wall_ms_patient"] = {k: 1000 * v / patients for k, v in out["wall"].items()}
    out["cpu_ms_patient"] = {k: 1000 * v / patients for k, v in out["cpu"].items()}


# fqm-execution


def install_fqm(args):
    folder = args.work + "/fqm"
    os.makedirs(folder, exist_ok=True)
    version = lambda name: read_json(f"{folder}/node_modules/{name}/package.json")["version"]
    manifest = folder + "/node_modules/fqm-execution/package.json"
    if not os.path.exists(manifest) or version("fqm-execution") != FQM_VERSION:
        say(f"installing fqm-execution {FQM_VERSION} into {folder}")
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, f"fqm-execution@{FQM_VERSION}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise Failed(f"npm cannot be run: {error}")
        if done.returncode != 0:
            raise Failed(f"npm install failed:\n{done.stderr[-2000:]}")
    open(folder + "/fqm.js", "w").write(FQM)
    return {name: version(name) for name in ["fqm-execution", "cql-execution", "cql-exec-fhir"]}


def fqm_measure(args, deck):
    copies = deck.copies(args.fqm_patients)
    folder = replicate(args, deck, copies)
    say(f"{deck.short}: fqm-execution, {copies * deck.size:,} patients, warm-up and {args.runs} runs, calculate and calculateRaw")
    job = {"deck": folder, "libraries": args.decks + "/libraries", "period": deck.period, "missing": deck.missing}
    job.update(copy=deck.size, batch=200, runs=args.runs)
    base = f"{args.work}/fqm/{deck.name}"
    with open(base + ".job.json", "w") as file:
        json.dump(job, file)
    run(["node", "--max-old-space-size=8192", args.work + "/fqm/fqm.js", base + ".job.json", base + ".out.json"],
        base + ".log", env=dict(os.environ, TZ="UTC"))
    done = read_json(base + ".out.json")
    out = {"copies": copies, "patients": done["patients"], "peak_mib": done["peak_mib"], "counts": done["counts"]}
    for name in ["calculate", "calculateRaw"]:
        out[name] = dict(summary(done[name]), patients=done["patients"])
        rates(out[name])
    return out


# All measures in one pass


def reference(args, decks, copies, period):
    """What the counts must be, what a run over one copy takes, and where the counts are not the published ones."""
    want, runs, equal = collections.defaultdict(collections.Counter), [], {}
    for i, (deck, n) in enumerate(zip(decks, copies)):
        say(f"all: reference {i + 1} of {len(decks)}, {deck.short}")
        lake, out = args.work + "/lakes/reference", args.work + "/out/reference"
        tandem_import(args, [replicate(args, deck, 1)], lake)
        runs.append(tandem_run(args, decks, lake, out, period))
        for url, counts in counts_in(out).items():
            want[url].update(times(counts, n))
            if url == deck.url and deck.one_period and deck.period == period:
                equal[deck.name] = differences(deck.expected, whole(counts))
    return want, {k: statistics.median(r[k] for r in runs) for k in ["wall", "cpu"]}, equal


def all_measures(args, decks):
    share = math.ceil(args.all_patients / len(decks))
    period = collections.Counter(d.period for d in decks).most_common(1)[0][0]
    copies = [d.copies(share) for d in decks]
    patients = sum(c * d.size for c, d in zip(copies, decks))
    out = {"measures": len(decks), "patients": patients, "copies": {d.name: c for d, c in zip(decks, copies)}, "period": period}
    say(f"all: replicating {len(decks)} decks to {patients:,} patients")
    folders = [replicate(args, d, c, mark) for mark, (d, c) in enumerate(zip(decks, copies))]
    lake, results = args.work + "/lakes/all", args.work + "/out/all"
    say("all: importing")
    out["imported"] = tandem_import(args, folders, lake)
    runs = []
    for i in range(args.all_runs):
        say(f"all: run {i + 1} of {args.all_runs}")
        runs.append(tandem_run(args, decks, lake, results, period))
    found = counts_in(results)
    shutil.rmtree(lake)
    out["no_report"] = [d.name for d in decks if d.url not in found]
    try:
        want, out["one_copy"], out["differs_from_published"] = reference(args, decks, copies, period)
        out["wrong_counts"] = [f"{d.short}: {t}" for d in decks for t in differences(want[d.url], found.get(d.url, {}))]
    except Failed as failure:
        out.update(one_copy=None, differs_from_published={}, wrong_counts=[f"they could not be checked: {failure}"])
    out.update(summary(runs), resources=out["imported"]["resources"])
    rates(out)
    pairs = patients * (len(decks) - len(out["no_report"]))
    out["patient_measures"] = pairs
    out["patient_measures_s"] = {k: pairs / v for k, v in out["wall"].items()}
    out["patient_measures_cpu_s"] = {k: pairs / v for k, v in out["cpu"].items()}
    return out


# Reporting


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip().split("\n")[0]
    except OSError:
        return None


def machine():
    models = re.findall(r"^model name\s*:\s*(.+)$", open("/proc/cpuinfo").read(), re.M)
    memory = re.search(r"MemTotal:\s*(\d+)", open("/proc/meminfo").read())
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory[1]) / 2**20, 1),
        "system": f"{platform.system()} {platform.release()}",
    }


def table(heading, rows):
    rows = [heading] + rows
    widths = [max(len(r[i]) for r in rows) for i in range(len(heading))]
    for row in rows:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))).rstrip())


def add_ratios(entry):
    """By medians."""
    tandem, fqm = entry.get("tandem"), entry.get("fqm")
    ratios = entry["ratios"] = {}
    if tandem and fqm:
        for name in ["calculate", "calculateRaw"]:
            ratios[name] = {
                "patients_s": tandem["patients_s"]["median"] / fqm[name]["patients_s"]["median"],
                "cpu": fqm[name]["cpu_ms_patient"]["median"] / tandem["cpu_ms_patient"]["median"],
            }
        entry["fqm_differs"] = differences(fqm["counts"], whole(tandem["base_counts"]))
    if tandem and entry["short"] in FHIR4DS:
        quoted = FHIR4DS[entry["short"]]
        ratios["fhir4ds_quoted"] = {k: quoted / v for k, v in tandem["wall_ms_patient"].items()}


def where(title, out):
    """Where the time of the fastest run went. Times are summed over threads."""
    best = min(out["runs"], key=lambda r: r["wall"])
    told = best["explain"]
    steps = ", ".join(f"{name} in {s:.2f}" for name, s in told["steps"].items())
    parts = {k: s for k, s in told["times"].items() if k.endswith("_time")}
    rest = best["cpu"] - sum(parts.values())
    shares = [f"{k[:-5]} {s:.2f} ({100 * s / best['cpu']:.0f} %)" for k, s in parts.items()]
    shares.append(f"rest {rest:.2f} ({100 * rest / best['cpu']:.0f} %)")
    one = out["one_copy"]
    fixed = f"; over one copy: wall {one['wall']:.2f}, CPU {one['cpu']:.2f}" if one else ""
    print(f"{title}: wall {best['wall']:.2f} ({steps or 'no --explain output'}), CPU {best['cpu']:.2f}: {', '.join(shares)}{fixed}")


def reached(value, wanted, right):
    return "NO, the counts are wrong" if not right else "yes" if value >= wanted else "NO"


def print_people(result):
    method, m = result["method"], result["method"]["machine"]
    print(f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}; load average {method['load_before']} before, "
          f"{method['load_after']} after")
    print("; ".join(f"{k} {v}" for k, v in method["versions"].items() if v))
    print(f"Tandem: whole command, {method['runs']} run(s) after 1 discarded, by the kernel (wait4). fqm-execution: in its process,\n"
          f"{method['runs']} run(s) after 1 discarded for each function, files parsed before, 200 patients a call. "
          "Medians unless said otherwise.\n")
    measures = [e for e in result["measures"] if e.get("tandem")]
    if measures:
        rows = []
        for e in measures:
            t = e["tandem"]
            rows.append([e["short"], f"{t['patients']:,}", f"{t['resources']:,}", f"{t['wall']['best']:.2f}", f"{t['wall']['median']:.2f}",
                         f"{t['cpu']['median']:.2f}", f"{t['peak_mib']:,.0f}", f"{t['patients_s']['median']:,.0f}",
                         f"{t['wall_ms_patient']['median']:.3f}", f"{t['cpu_ms_patient']['median']:.3f}",
                         "k × one copy" if not t["wrong_counts"] else "WRONG"])
        print("Tandem")
        table(["measure", "patients", "resources", "wall s, best", "median", "CPU s", "peak MiB", "patients/s", "wall ms/patient",
               "CPU ms/patient", "counts"], rows)
    compared = [e for e in result["measures"] if e.get("fqm")]
    if compared:
        rows = []
        for e in compared:
            for name in ["calculate", "calculateRaw"]:
                f, r = e["fqm"][name], e["ratios"].get(name)
                rows.append([f"{e['short']} {name}", f"{f['patients']:,}", f"{f['patients_s']['best']:,.0f}", f"{f['patients_s']['median']:,.0f}",
                             f"{f['cpu_ms_patient']['median']:.1f}", f"{e['fqm']['peak_mib']:,.0f}",
                             f"{r['patients_s']:,.0f} ×" if r else "", f"{r['cpu']:,.0f} ×" if r else "",
                             "" if not r else "same" if not e["fqm_differs"] else f"{len(e['fqm_differs'])} differ"])
        print("\nfqm-execution, and Tandem as a multiple of it (one thread of JavaScript beside all cores in patients/s; CPU is even)")
        table(["", "patients", "patients/s, best", "median", "CPU ms/patient", "peak MiB", "patients/s: Tandem", "CPU: Tandem", "counts"], rows)
    quoted = [e for e in measures if "fhir4ds_quoted" in e["ratios"]]
    if quoted:
        print(f"\nFHIR4DS (CQL to DuckDB SQL), QUOTED for 10,000 patients on 2 cores, not measured here; wanted: {FACTOR} ×")
        rows = []
        for e in quoted:
            ratio = e["ratios"]["fhir4ds_quoted"]
            rows.append([e["short"], f"{FHIR4DS[e['short']]:.2f}", f"{e['tandem']['wall_ms_patient']['median']:.3f}", f"{ratio['best']:.1f} ×",
                         f"{ratio['median']:.1f} ×", reached(ratio["median"], FACTOR, not e["tandem"]["wrong_counts"])])
        table(["measure", "quoted ms/patient", "Tandem wall ms/patient", "ratio, best", "median", "reached"], rows)
    a = result.get("all")
    if a:
        rate, imported = a["patient_measures_s"], a["imported"]
        print(f"\nAll {a['measures']} measures in one pass over {a['patients']:,} patients, {a['resources']:,} resources, period "
              f"{'..'.join(a['period'])}, {len(a['runs'])} run(s), none discarded")
        rows = [[f"{imported['wall']:.1f}", f"{a['wall']['best']:.1f}", f"{a['wall']['median']:.1f}", f"{a['cpu']['median']:.1f}",
                 f"{a['peak_mib']:,.0f}", f"{rate['best']:,.0f}", f"{rate['median']:,.0f}", f"{a['patient_measures_cpu_s']['median']:,.0f}",
                 "as the sum of the decks" if not a["wrong_counts"] and not a["no_report"] else "WRONG"]]
        table(["import s", "wall s, best", "median", "CPU s", "peak MiB", "patient-measures/s, best", "median", "a CPU second", "counts"], rows)
        right = not a["wrong_counts"] and not a["no_report"]
        print(f"Budget {BUDGET:,} patient-measures/s, reached: {reached(rate['median'], BUDGET, right)}; aim {AIM:,}, reached: "
              f"{reached(rate['median'], AIM, right)}")
    if measures or a:
        print("\nWhere the time went: Tandem's fastest run, seconds; parts are summed over threads, shares are of CPU time. A run over\n"
              "one copy of a deck stands beside it: it is nearly all start, reading and compiling the package, and reports")
        for e in measures:
            where(e["short"], e["tandem"])
        if a:
            where("all", a)
        print("\nImport, once, from files in memory:")
        for name, i in [(e["short"], e["tandem"]["imported"]) for e in measures] + ([("all", a["imported"])] if a else []):
            print(f"{name}: {i['resources']:,} resources, wall {i['wall']:.2f} s, {i['resources'] / i['wall']:,.0f}/s, "
                  f"CPU {i['cpu']:.2f} s, peak {i['peak_mib']:,.0f} MiB")
    told = [(e["short"], e["tandem"].get("differs_from_published")) for e in measures]
    told += [(f"{name}, in the pass of all", d) for name, d in (a or {}).get("differs_from_published", {}).items()]
    told = [(name, d) for name, d in told if d is not None]
    if told:
        same = sum(not d for _, d in told)
        print(f"\nSums of counts over one copy, beside the published expectations: {same} of {len(told)} the same")
        for name, d in told:
            if d:
                print(f"  {name}: {'; '.join(d)}")
    for e in compared:
        if e.get("fqm_differs"):
            print(f"fqm-execution counts otherwise, {e['short']} (expected = fqm): {'; '.join(e['fqm_differs'])}")


def main():
    conformance = os.environ.get("TANDEM_CONFORMANCE", "../shared/conformance")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tandem", default="target/release/tandem")
    parser.add_argument("--decks", default=conformance + "/ecqm", help="default: $TANDEM_CONFORMANCE/ecqm")
    parser.add_argument("--replicate", help="replicate_deck.py; default: in ../../tools beside the decks")
    parser.add_argument("--measures", default=DEFAULT, help=f"names, or all; default {DEFAULT}")
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--fqm-patients", type=int, default=500)
    parser.add_argument("--all-patients", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3, help="of each measure, of Tandem and fqm")
    parser.add_argument("--all-runs", type=int, default=1, help="of all measures in one pass")
    parser.add_argument("--work", help="folder for data, lakes and results, kept; default: a temporary one")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folder")
    parser.add_argument("--skip-fqm", action="store_true")
    parser.add_argument("--skip-all", action="store_true")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    args = parser.parse_args()
    if args.runs < 1 or args.all_runs < 1:
        sys.exit("--runs, --all-runs: at least 1")
    args.decks = os.path.abspath(args.decks)
    args.replicate = args.replicate or os.path.normpath(args.decks + "/../../tools/replicate_deck.py")
    args.tandem = os.path.abspath(args.tandem)
    for option, path in [("--tandem", args.tandem), ("--decks", args.decks + "/libraries"), ("--replicate", args.replicate)]:
        if not os.path.exists(path):
            sys.exit(f"{option}: there is no {path}")
    decks = find_decks(args.decks)
    selected = chosen(decks, args.measures)
    keep = bool(args.work) or args.keep
    args.work = os.path.abspath(args.work or tempfile.mkdtemp(prefix="tandem-measures-"))
    for name in ["decks", "lakes", "out", "fqm"]:
        os.makedirs(f"{args.work}/{name}", exist_ok=True)
    say(f"work folder {args.work}")
    try:
        sys.exit(bench(args, decks, selected))
    finally:
        if not keep:
            shutil.rmtree(args.work, ignore_errors=True)


def bench(args, decks, selected):
    load = lambda: " ".join(f"{x:.1f}" for x in os.getloadavg())
    method = {"machine": machine(), "load_before": load(), "runs": args.runs, "all_runs": args.all_runs}
    method["discarded"] = {"tandem": "1 run a measure, none of all measures", "fqm": "1 run of each function"}
    method["ratios"] = "of medians; fhir4ds_quoted: wall ms a patient, quoted for 10,000 patients on 2 cores, not measured here"
    versions = method["versions"] = {"tandem": first_line([args.tandem, "--version"]), "python": platform.python_version()}
    result = {"method": method, "measures": [], "all": None, "failures": []}
    failures = result["failures"]

    def attempt(what, work):
        try:
            return work()
        except Failed as failure:
            say(f"FAILED: {what}: {failure}")
            failures.append(f"{what}: {failure}")

    fqm = not args.skip_fqm and attempt("fqm-execution", lambda: install_fqm(args))
    if fqm:
        versions.update({"node": first_line(["node", "--version"]), **fqm})
    for deck in selected:
        entry = {"short": deck.short, "measure": deck.name, "period": deck.period, "deck_patients": deck.size}
        entry["tandem"] = attempt(f"{deck.short}, tandem", lambda: tandem_measure(args, deck))
        if fqm:
            entry["fqm"] = attempt(f"{deck.short}, fqm-execution", lambda: fqm_measure(args, deck))
        add_ratios(entry)
        result["measures"].append(entry)
        if entry["tandem"]:
            failures += [f"{deck.short}: not {entry['tandem']['copies']} times one copy: {d}" for d in entry["tandem"]["wrong_counts"]]
    if not args.skip_all:
        result["all"] = attempt("all measures", lambda: all_measures(args, decks))
        if result["all"]:
            failures += [f"all measures: not the sum of the decks: {d}" for d in result["all"]["wrong_counts"]]
            failures += [f"all measures: no report of {name}" for name in result["all"]["no_report"]]
    method["load_after"] = load()
    if args.format == "json":
        print(json.dumps(result, indent=1, ensure_ascii=False))
    else:
        print_people(result)
        for failure in failures:
            print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    main()
