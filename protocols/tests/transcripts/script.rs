//! How a script file is cut into blocks.

/// What separates commands from what followed.
const DASHES: &str = "----";

/// Commands and what followed them.
pub struct Block<'a> {
    /// The lines before what followed: comments, blank lines, commands.
    told: Vec<&'a str>,
    /// The commands among them, with their line numbers.
    pub commands: Vec<(usize, &'a str)>,
}

impl Block<'_> {
    /// The block's text with this in place of what followed.
    pub fn with_followed(&self, followed: &[String]) -> String {
        let mut text = String::new();
        let mut line = |words: &str| {
            text.push_str(words);
            text.push('\n');
        };
        self.told.iter().for_each(|told| line(told));
        if !self.commands.is_empty() {
            line(DASHES);
            followed.iter().for_each(|followed| line(followed));
        }
        text
    }
}

/// Cuts a script into blocks. What a former run wrote behind the dashes is left out: it follows again.
pub fn parse(text: &str) -> Result<Vec<Block<'_>>, (usize, String)> {
    let mut blocks = Vec::new();
    let mut block = Block { told: Vec::new(), commands: Vec::new() };
    let mut is_followed = false;
    for (line, words) in (1..).zip(text.lines()) {
        let is_blank = words.trim().is_empty();
        if is_followed && !is_blank {
            continue;
        }
        is_followed = false;
        if words == DASHES {
            if block.commands.is_empty() {
                return Err((line, format!("nothing is commanded before this {DASHES}")));
            }
            blocks.push(std::mem::replace(&mut block, Block { told: Vec::new(), commands: Vec::new() }));
            is_followed = true;
            continue;
        }
        block.told.push(words);
        if !is_blank && !words.starts_with('#') {
            block.commands.push((line, words));
        }
    }
    if let Some((line, _)) = block.commands.first() {
        return Err((*line, format!("a line of {DASHES} is missing behind the command")));
    }
    blocks.push(block);
    Ok(blocks)
}
