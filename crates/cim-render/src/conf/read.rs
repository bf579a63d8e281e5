//! A strict reader of what the writer writes: every config is read back before it leaves.
//!
//! It takes the quoted subset only; anything else is an error with its line.

use std::fmt;

use super::{Document, Map, Node};

/// What could not be read, and on which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Line, counted from 1.
    pub line: usize,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for ReadError {}

/// Reads a document that [`super::write()`] wrote.
///
/// # Errors
/// Anything that the writer would not write.
pub fn read(text: &str) -> Result<Document, ReadError> {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    let include = if reader.take("include \"") {
        Some(reader.string()?)
    } else {
        None
    };
    let root = reader.entries(false)?;
    Ok(Document { include, root })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn fail<T>(&self, why: &'static str) -> Result<T, ReadError> {
        let read = self.text.get(..self.at).unwrap_or(self.text);
        Err(ReadError {
            line: read.matches('\n').count() + 1,
            why,
        })
    }

    /// White space and whole-line comments.
    fn space(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            } else if c.is_ascii_whitespace() {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn entries(&mut self, inside: bool) -> Result<Map, ReadError> {
        let mut map = Map::new();
        loop {
            self.space();
            match self.peek() {
                None if inside => return self.fail("a block is not closed"),
                None => return Ok(map),
                Some('}') if inside => {
                    self.at += 1;
                    return Ok(map);
                }
                Some(quote @ ('"' | '\'')) => {
                    self.at += 1;
                    let key = self.key(quote)?;
                    if !self.take(": ") {
                        return self.fail("a colon and a space follow a key");
                    }
                    if map
                        .iter()
                        .any(|(known, _)| known.eq_ignore_ascii_case(&key))
                    {
                        return self.fail("a key stands twice");
                    }
                    let value = self.value()?;
                    map.put(&key, value);
                }
                Some(_) => return self.fail("a key is quoted"),
            }
        }
    }

    fn key(&mut self, quote: char) -> Result<String, ReadError> {
        let Some(end) = self.rest().find(quote) else {
            return self.fail("a key is not closed");
        };
        let key = self.rest().get(..end).unwrap_or("").to_owned();
        self.at += end + 1;
        Ok(key)
    }

    fn value(&mut self) -> Result<Node, ReadError> {
        match self.next() {
            Some('{') => self.entries(true).map(Node::Map),
            Some('[') => self.list(),
            Some('"') => self.string().map(Node::Str),
            Some('$') => Ok(Node::Variable(self.word())),
            Some(c) if c == '-' || c.is_ascii_alphanumeric() => {
                let word = format!("{c}{}", self.word());
                self.bare(&word)
            }
            _ => self.fail("a value is expected"),
        }
    }

    fn list(&mut self) -> Result<Node, ReadError> {
        let mut list = Vec::new();
        loop {
            self.space();
            if self.take("]") {
                return Ok(Node::List(list));
            }
            list.push(self.value()?);
        }
    }

    /// Letters, digits, dots and underscores.
    fn word(&mut self) -> String {
        let end = self
            .rest()
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_')))
            .unwrap_or(self.rest().len());
        let word = self.rest().get(..end).unwrap_or("").to_owned();
        self.at += end;
        word
    }

    fn bare(&self, word: &str) -> Result<Node, ReadError> {
        match word {
            "true" => Ok(Node::Bool(true)),
            "false" => Ok(Node::Bool(false)),
            word if word.contains('.') => word
                .parse()
                .map(Node::Float)
                .or_else(|_| self.fail("a number is malformed")),
            word => word
                .parse()
                .map(Node::Int)
                .or_else(|_| self.fail("a bare word is neither a number nor a boolean")),
        }
    }

    fn string(&mut self) -> Result<String, ReadError> {
        let mut text = String::new();
        loop {
            match self.next() {
                None => return self.fail("a text is not closed"),
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ReadError> {
        match self.next() {
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some(c @ ('"' | '\\')) => Ok(c),
            Some('x') => {
                let digits = self.rest().get(..2).map(|d| u8::from_str_radix(d, 16));
                match digits {
                    Some(Ok(byte)) if byte.is_ascii() => {
                        self.at += 2;
                        Ok(char::from(byte))
                    }
                    _ => self.fail("two hexadecimal digits follow \\x"),
                }
            }
            _ => self.fail("an escape is none of \\n \\r \\t \\\" \\\\ \\x"),
        }
    }
}
