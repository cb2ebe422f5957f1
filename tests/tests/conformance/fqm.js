// What fqm-execution says of every patient, measure and population, for `differential.rs`.
//
// node fqm.js job.json > answers.ndjson, in a folder whose node_modules hold fqm-execution.
// job: { decks: [folder], libraries: folder, data: [file.ndjson], periods: [[first day, last day]] }
// A line: { deck, year, patient, groups: [{ code: members }] }, or an error in place of the groups; the last one: { seconds, patients }.
'use strict';
const fs = require('fs'), path = require('path'), { performance } = require('perf_hooks');
const { createRequire } = require('module');
const { Calculator } = createRequire(process.cwd() + '/')('fqm-execution');

const json = file => JSON.parse(fs.readFileSync(file, 'utf8'));
const lines = file => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line));
const bundle = resources => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map(resource => ({ resource })) });
const job = json(process.argv[2]);

// The resource types that a library may retrieve.
function retrieved(node, found) {
  if (node && typeof node === 'object') {
    if (node.type === 'Retrieve') found.add(node.dataType.split('}').pop());
    for (const part of Object.values(node)) retrieved(part, found);
  }
  return found;
}

// fqm-execution finds a library by url and version: both are taken from the ELM.
const libraries = new Map();
for (const file of fs.readdirSync(job.libraries)) {
  const resource = json(path.join(job.libraries, file));
  const elm = resource.content.find(c => c.contentType === 'application/elm+json');
  const { library } = JSON.parse(Buffer.from(elm.data, 'base64').toString());
  const { id, version } = library.identifier;
  Object.assign(resource, { name: id, version, url: resource.url.replace(/[^/]*$/, id) });
  const includes = ((library.includes || {}).def || []).map(i => `${i.path.split('/').pop()}|${i.version}`);
  const sets = ((library.valueSets || {}).def || []).map(set => set.id);
  libraries.set(`${id}|${version}`, { resource, includes, sets, types: retrieved(library, new Set()) });
}

// The measure's library and all it includes, as its steward would bundle them.
function needed(canonical) {
  const [name, version] = canonical.split('/').pop().split('|');
  const open = [...libraries.keys()].filter(key => (version ? key === `${name}|${version}` : key.startsWith(`${name}|`)));
  const found = new Set();
  while (open.length) {
    const key = open.pop();
    if (found.has(key)) continue;
    if (!libraries.has(key)) throw new Error(`no library ${key}`);
    found.add(key);
    open.push(...libraries.get(key).includes);
  }
  return [...found].map(key => libraries.get(key));
}

// A bundle a patient.
const patients = new Map();
const link = r => ((r.subject || r.patient || r.beneficiary || r.for || {}).reference || '').split('/').pop();
// The other engine stops at a patient with a unit that is no UCUM; these mean the annotation.
const unit = (key, value) => (value === '(score)' && (key === 'code' || key === 'unit') ? '{score}' : value);
const resources = job.data.flatMap(lines).map(r => JSON.parse(JSON.stringify(r, unit)));
for (const r of resources) if (r.resourceType === 'Patient') patients.set(r.id, [r]);
for (const r of resources) if (r.resourceType !== 'Patient' && patients.has(link(r))) patients.get(link(r)).push(r);

function members(groups) {
  return groups.map(group => {
    const rows = group.episodeResults ? group.episodeResults.flatMap(e => e.populationResults) : group.populationResults;
    const counts = {};
    for (const row of rows) {
      if (row.populationType === 'measure-observation') continue;
      counts[row.populationType] = (counts[row.populationType] || 0) + (row.result ? 1 : 0);
    }
    return counts;
  });
}

// Of all at once; where that fails, of each alone, and what stopped it.
async function calculate(content, bundles, options) {
  const tried = async some => {
    try {
      const done = await Calculator.calculate(content, some, options);
      const failed = done.errorMessage || (done.results && done.results.errorMessage);
      return failed ? { failed } : done;
    } catch (error) {
      return { failed: error.message };
    }
  };
  const answer = result => ({ patient: result.patientId, groups: members(result.detailedResults) });
  const all = await tried(bundles);
  if (!all.failed) return all.results.map(answer);
  const out = [];
  for (const one of bundles) {
    let done = await tried([one]);
    if (done.failed) {
      // It takes the text of any Observation for a Quantity, and stops: no measure asks for these texts.
      const kept = one.entry.map(e => e.resource).filter(r => !('valueString' in r));
      done = await tried([bundle(kept)]);
      console.error(`${one.entry.length - kept.length} Observations with a text left out`);
    }
    const patient = one.entry[0].resource.id;
    out.push(done.failed ? { patient, error: done.failed.split('\n').map(line => line.trim()).filter(Boolean).join(', ') } : answer(done.results[0]));
  }
  return out;
}

async function main() {
  let seconds = 0;
  for (const deck of job.decks) {
    const name = path.basename(deck);
    const measure = json(path.join(deck, 'measure.json'));
    delete measure.supplementalData;
    const sets = fs.existsSync(path.join(deck, 'valuesets.ndjson')) ? lines(path.join(deck, 'valuesets.ndjson')) : [];
    const used = needed(measure.library[0]);
    // The other engine stops at a value set that is not there, needed or not: it is an empty one.
    const there = new Set(sets.map(set => set.url));
    const urls = new Set(used.flatMap(library => library.sets).filter(url => !there.has(url)));
    const absent = [...urls].map(url => ({ resourceType: 'ValueSet', url, status: 'active', expansion: { contains: [] } }));
    const content = bundle([measure, ...used.map(library => library.resource), ...sets, ...absent]);
    // What nothing retrieves only costs time.
    const types = new Set(['Patient', ...used.flatMap(library => [...library.types])]);
    const bundles = [...patients.values()].map(all => bundle(all.filter(r => types.has(r.resourceType))));
    for (const [start, end] of job.periods) {
      const options = {
        measurementPeriodStart: `${start}T00:00:00.000Z`, measurementPeriodEnd: `${end}T23:59:59.999Z`,
        calculateHTML: false, calculateClauseCoverage: false, calculateClauseUncoverage: false, calculateCoverageDetails: false,
        disableHTMLOrdering: true, calculateSDEs: false, calculateRAVs: false, verboseCalculationResults: false,
        // The charts carry no profile tags.
        trustMetaProfile: false, useElmJsonsCaching: true,
      };
      const started = performance.now();
      const answers = await calculate(content, bundles, options);
      seconds += (performance.now() - started) / 1000;
      for (const answer of answers) {
        process.stdout.write(JSON.stringify({ deck: name, year: start.slice(0, 4), ...answer }) + '\n');
      }
    }
  }
  process.stdout.write(JSON.stringify({ seconds, patients: patients.size }) + '\n');
}
main().catch(error => { console.error(error.message); process.exit(1); });
