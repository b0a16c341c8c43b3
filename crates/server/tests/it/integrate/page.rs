//! The blocks of a page, each with a title, and which of them a test has not used.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// A fenced block: the words after the fence, and its text.
struct Block {
    title: &'static str,
    text: &'static str,
}

/// Some sections of a page.
pub(super) struct Page {
    blocks: Vec<Block>,
    used: RefCell<BTreeSet<&'static str>>,
}

/// The sections of a page that have blocks; what precedes the first heading has an empty title.
pub(super) fn sections_with_blocks(text: &'static str) -> Vec<&'static str> {
    let sections = text.split("\n## ").filter(|section| section.contains("\n```"));
    sections.map(|section| section.lines().next().unwrap()).collect()
}

impl Page {
    /// Reads the blocks of these sections.
    pub(super) fn of(text: &'static str, sections: &[&str]) -> Self {
        let mut blocks = Vec::new();
        for section in
            text.split("\n## ").filter(|section| sections.contains(&section.lines().next().unwrap()))
        {
            for fenced in section.split("\n```").skip(1).step_by(2) {
                let (title, text) = fenced.split_once('\n').unwrap();
                assert!(blocks.iter().all(|block: &Block| block.title != title), "{title} is there twice");
                blocks.push(Block { title, text });
            }
        }
        Self { blocks, used: RefCell::default() }
    }

    /// The text of a block, which counts as run from now on.
    #[track_caller]
    pub(super) fn take(&self, title: &str) -> &'static str {
        let block = self.blocks.iter().find(|block| block.title == title);
        let Block { title, text } = block.unwrap_or_else(|| panic!("the page has no block {title}"));
        self.used.borrow_mut().insert(title);
        text
    }

    /// The blocks that nobody took.
    pub(super) fn unused(&self) -> Vec<&'static str> {
        let used = self.used.borrow();
        self.blocks.iter().map(|block| block.title).filter(|title| !used.contains(title)).collect()
    }
}

#[test]
fn a_block_that_nobody_takes_is_noticed() {
    const TEXT: &str =
        "# Page\n\n## One\n```sh first\na\n```\n```sh second\nb\n\nc\n```\nwords\n\n## Two\n```\nd\n```\n";
    assert_eq!(sections_with_blocks(TEXT), ["One", "Two"]);
    let page = Page::of(TEXT, &["One"]);
    assert_eq!(page.take("sh second"), "b\n\nc");
    assert_eq!(page.unused(), ["sh first"]);
    assert_eq!(Page::of(TEXT, &["Two"]).unused(), [""]);
}
