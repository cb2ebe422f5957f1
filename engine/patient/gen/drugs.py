"""Makes content/drugs/products.csv from a table of RxNorm products and their ingredients, and fills in the
ingredients of salts in content/drugs/ingredients.csv.

    python3 engine/patient/gen/drugs.py INGREDIENT-MAP.csv engine/patient/content/drugs

The table has the columns product_rxcui, product_tty, product_name, ingredient_rxcuis and derivation. The
precise ingredients of a product are the longest PINs of its ingredients that stand before a strength
in its RxNorm name. A PIN without a known IN gets the one whose name it has, followed by words that stand
behind the IN of another salt (`amiodarone hydrochloride`, as `warfarin sodium`). Prints the counts that
manifest.yaml has.
"""

import csv
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

# Behind a name of an ingredient: a strength, as in `5 MG` or `100 UNT/ML`.
STRENGTH = r" [0-9][0-9.,]* (?:MG|MCG|G|ML|UNT|MEQ|MMOL|MCI|MIN|HR|CELLS|BAU|AU|IR|PNU|AMB|%|\[)"

# Names that a salt begins with, and is not of: by the relations of RxNorm ammonium lactate is of lactate.
CATIONS = {"ammonium"}


def precise(name, ingredients, salts_of):
    found = set()
    for ingredient in ingredients:
        # By the place where a name ends: of two that end at one place the longer is the salt.
        longest = {}
        for rxcui, salt in salts_of[ingredient]:
            for match in re.finditer(rf"(?:^|[ /(]){re.escape(salt)}(?={STRENGTH})", name, re.IGNORECASE):
                longest[match.end()] = max(longest.get(match.end(), (0, "")), (len(salt), rxcui))
        found |= {rxcui for _, rxcui in longest.values()}
    return sorted(found, key=int)


def fill_ingredients(file):
    with open(file, encoding="utf-8", newline="") as rows:
        rows = list(csv.DictReader(rows))
    by_name = {row["name"].lower(): row["rxcui"] for row in rows if row["tty"] == "IN"}
    names = {row["rxcui"]: row["name"].lower() for row in rows}
    salts = [row for row in rows if row["tty"] == "PIN"]
    behind = set()
    for row in salts:
        name, of = row["name"].lower(), names.get(row["in_rxcui"])
        if of and name.startswith(of + " "):
            behind.add(name[len(of) + 1 :])
    filled = 0
    for row in salts:
        words = row["name"].lower().split(" ")
        # The longest name of an ingredient first.
        for end in range(len(words) - 1, 0, -1):
            name = " ".join(words[:end])
            of = None if name in CATIONS else by_name.get(name)
            if not row["in_rxcui"] and of and " ".join(words[end:]) in behind:
                row["in_rxcui"] = of
                filled += 1
    with open(file, "w", encoding="utf-8", newline="") as out:
        out = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    print(len(salts), "PIN;", filled, "filled in; without a known IN:", sum(not row["in_rxcui"] for row in salts))


def main(table, content):
    content = Path(content)
    fill_ingredients(content / "ingredients.csv")
    salts_of, known = defaultdict(list), {}
    with open(content / "ingredients.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            known[row["rxcui"]] = row["tty"]
            if row["tty"] == "PIN" and row["in_rxcui"]:
                salts_of[row["in_rxcui"]].append((row["rxcui"], row["name"]))
    products, types, ways, unknown = [], Counter(), Counter(), 0
    with open(table, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ingredients = sorted(set(filter(None, row["ingredient_rxcuis"].split("|"))), key=int)
            if not ingredients or any(known.get(one) != "IN" for one in ingredients):
                unknown += 1
                continue
            tty, name = row["product_tty"].rstrip("?"), row["product_name"].strip()
            salts = precise(name, ingredients, salts_of)
            products.append([row["product_rxcui"], tty, name, "|".join(ingredients), "|".join(salts)])
            types[tty] += 1
            types["of which typed by the name"] += row["product_tty"].endswith("?")
            types["with precise ingredients"] += bool(salts)
            ways[row["derivation"]] += 1
    products.sort(key=lambda row: int(row[0]))
    with open(content / "products.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["rxcui", "tty", "name", "ingredients", "precise_ingredients"])
        out.writerows(products)
    print(len(products), "products;", dict(types), dict(ways), f"left out: {unknown}")


if __name__ == "__main__":
    main(*sys.argv[1:])
