//! Comma-separated values (RFC 4180) with the place of each cell.

/// A cell and its first character in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    pub text: String,
    pub at: usize,
}

/// Rows of cells; empty lines are left out. `Err` is the character at which a quote begins that is never
/// closed, or after whose end something else than a comma stands.
pub(super) fn rows(chars: &[char]) -> Result<Vec<Vec<Cell>>, usize> {
    let (mut rows, mut row) = (vec![], vec![]);
    let mut at = usize::from(chars.first() == Some(&'\u{feff}'));
    while at < chars.len() {
        let start = at;
        let mut text = String::new();
        if chars.get(at) == Some(&'"') {
            at += 1;
            loop {
                match (chars.get(at), chars.get(at + 1)) {
                    (Some('"'), Some('"')) => {
                        text.push('"');
                        at += 2;
                    }
                    (Some('"'), _) => break,
                    (Some(c), _) => {
                        text.push(*c);
                        at += 1;
                    }
                    (None, _) => return Err(start),
                }
            }
            at += 1;
        } else {
            while let Some(c) = chars.get(at).filter(|c| !matches!(c, ',' | '\n' | '\r')) {
                text.push(*c);
                at += 1;
            }
        }
        row.push(Cell { text, at: start });
        match chars.get(at) {
            Some(',') => {
                at += 1;
                // A comma before the end of the file: an empty cell.
                if at == chars.len() {
                    row.push(Cell {
                        text: String::new(),
                        at,
                    });
                }
                continue;
            }
            Some('\r') if chars.get(at + 1) == Some(&'\n') => at += 2,
            Some('\n' | '\r') => at += 1,
            None => {}
            Some(_) => return Err(at),
        }
        end(&mut rows, &mut row);
    }
    end(&mut rows, &mut row);
    Ok(rows)
}

fn end(rows: &mut Vec<Vec<Cell>>, row: &mut Vec<Cell>) {
    let row = std::mem::take(row);
    let empty = row.iter().all(|cell| cell.text.trim().is_empty());
    if row.len() > 1 || !empty {
        rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Vec<String>>, usize> {
        let chars: Vec<char> = text.chars().collect();
        let rows = rows(&chars)?.into_iter();
        Ok(rows
            .map(|row| row.into_iter().map(|c| c.text).collect())
            .collect())
    }

    #[test]
    fn cells_quotes_and_ends() {
        let made = read("a,b\r\n\"x, \"\"y\"\"\nz\",é\n\n,\n1,").unwrap();
        let wanted = [["a", "b"], ["x, \"y\"\nz", "é"], ["", ""], ["1", ""]];
        assert_eq!(made, wanted);
        assert_eq!(read("\u{feff}a").unwrap(), [["a"]]);
        assert_eq!(read("a\n\"b"), Err(2));
        assert_eq!(read("\"a\"b"), Err(3));
        assert!(read("").unwrap().is_empty());
    }
}
