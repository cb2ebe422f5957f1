"""Makes content/drugs/products.csv from a table of RxNorm products and their ingredients.

    python3 engine/patient/gen/drugs.py INGREDIENT-MAP.csv engine/patient/content/drugs

The table has the columns product_rxcui, product_tty, product_name, ingredient_rxcuis and derivation. The
precise ingredients of a product are the longest PINs of its ingredients that stand before a strength
in its RxNorm name. Prints the counts that manifest.yaml has.
"""

import csv
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

# Behind a name of an ingredient: a strength, as in `5 MG` or `100 UNT/ML`.
STRENGTH = r" [0-9][0-9.,]* (?:MG|MCG|G|ML|UNT|MEQ|MMOL|MCI|MIN|HR|CELLS|BAU|AU|IR|PNU|AMB|%|\[)"


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


def main(table, content):
    content = Path(content)
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
