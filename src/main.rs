//! The `synscope` program: everything it can do is in the library, `synscope::cli` reads its arguments.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    synscope::cli::run(env::args_os())
}
