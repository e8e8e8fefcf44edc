//! To be told.

use super::*;
