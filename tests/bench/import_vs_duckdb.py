#!/usr/bin/env python3
"""Import speed and peak memory, beside DuckDB reading the same NDJSON and writing Parquet, in one run.

Usage: tests/bench/import_vs_duckdb.py [--patients 40000] [--tandem target/release/tandem] [--dir DIR]
Needs: pip install duckdb. Each program runs as a process of its own; wall time and peak memory
(ru_maxrss) are the kernel's. The files are read once before, so that both read from a warm cache as far
as memory allows. DuckDB runs twice: with the columns it detects, and with each line as one JSON value
(it then checks the JSON but does no more: no types, no codes, no patients, no order).
"""
import argparse, glob, os, resource, shutil, subprocess, sys, time

DUCKDB = """
import duckdb, glob, os, sys
data, out, mode = sys.argv[1:4]
os.makedirs(out, exist_ok=True)
con = duckdb.connect()
con.execute("SET threads=2; SET memory_limit='16GB'; SET preserve_insertion_order=false")
for path in sorted(glob.glob(data + "/*.ndjson")):
    name = os.path.basename(path)[:-7]
    read = f"read_ndjson('{path}', maximum_object_size=67108864)" if mode == "columns" else f"read_ndjson_objects('{path}', maximum_object_size=67108864)"
    con.execute(f"COPY (SELECT * FROM {read}) TO '{out}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
"""


def run(name, command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.time()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.time() - started
    if status != 0:
        print(f"{name}: failed\n{output[-2000:]}")
        return None
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def size(folder):
    return sum(os.path.getsize(p) for p in glob.glob(folder + "/**/*.parquet", recursive=True))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=40000)
    parser.add_argument("--tandem", default="target/release/tandem")
    parser.add_argument("--dir", default="/tmp/tandem-bench")
    parser.add_argument("--duckdb-python", default=sys.executable)
    args = parser.parse_args()
    data = args.dir + "/data"
    if not glob.glob(data + "/*.ndjson"):
        subprocess.run([args.tandem, "synth", "--patients", str(args.patients), "--out", data], check=True)
    lines = int(subprocess.run(f"cat {data}/*.ndjson | wc -l", shell=True, capture_output=True, text=True).stdout)
    total = sum(os.path.getsize(p) for p in glob.glob(data + "/*.ndjson"))
    print(f"{lines:,} resources, {total / 1e9:.2f} GB, {os.cpu_count()} cores")
    for out in ["lake", "duck-columns", "duck-objects"]:
        shutil.rmtree(f"{args.dir}/{out}", ignore_errors=True)
    rows = [("tandem import", [args.tandem, "import", data, "--lake", args.dir + "/lake"], "lake")]
    for mode in ["objects", "columns"]:
        command = [args.duckdb_python, "-c", DUCKDB, data, f"{args.dir}/duck-{mode}", mode]
        rows.append((f"duckdb, {mode}", command, f"duck-{mode}"))
    print(f"{'':16} {'wall s':>8} {'CPU s':>8} {'resources/s':>12} {'MB/s':>7} {'peak MiB':>9} {'Parquet MB':>11}")
    for name, command, out in rows:
        done = run(name, command)
        if done:
            wall, cpu, peak = done
            print(f"{name:16} {wall:8.1f} {cpu:8.1f} {lines / wall:12,.0f} {total / wall / 1e6:7.0f} {peak:9,.0f} {size(args.dir + '/' + out) / 1e6:11,.0f}")


main()
