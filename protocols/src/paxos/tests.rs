//! Tests, told beside the paper.
