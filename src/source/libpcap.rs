#![allow(unsafe_code)]
//! The tcpdump language, compiled by libpcap where the machine has one.
//!
//! Looked for at run time, so that nobody needs it to build or to run the rest. Only its compiler is used: what it makes
//! of an expression runs on our own [`machine`](super::machine), or in the kernel. Every function called here has been part
//! of libpcap's stable interface since version 0.9.

use std::env;
use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::OsString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_uint;
use std::ffi::c_void;
use std::ptr;
use std::slice;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use libloading::Library;

use crate::packet::LinkType;
use crate::source::machine::Instruction;

/// A libpcap that was found. Stays loaded until the program ends.
pub(super) struct Libpcap {
    open_dead: OpenDead,
    compile: Compile,
    error: Error,
    free: Free,
    close: Close,
    /// As it names itself: `libpcap version 1.10.3 (…)`, cut behind the number.
    pub(super) version: String,
    /// Its compiler was not always safe to enter twice at once.
    entered: Mutex<()>,
    /// The functions above are in there.
    _library: Library,
}

type OpenDead = unsafe extern "C" fn(c_int, c_int) -> *mut c_void;
type Compile = unsafe extern "C" fn(*mut c_void, *mut RawProgram, *const c_char, c_int, c_uint) -> c_int;
type Error = unsafe extern "C" fn(*mut c_void) -> *const c_char;
type Free = unsafe extern "C" fn(*mut RawProgram);
type Close = unsafe extern "C" fn(*mut c_void);
type Version = unsafe extern "C" fn() -> *const c_char;

/// `struct bpf_program`.
#[repr(C)]
struct RawProgram {
    count: c_uint,
    instructions: *mut RawInstruction,
}

/// `struct bpf_insn`.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawInstruction {
    code: u16,
    jt: u8,
    jf: u8,
    k: u32,
}

impl Libpcap {
    /// The machine's libpcap, looked for once.
    pub(super) fn find() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<Libpcap>> = OnceLock::new();
        FOUND.get_or_init(|| names().iter().find_map(Self::load)).as_ref()
    }

    fn load(name: &OsString) -> Option<Self> {
        // SAFETY: loading runs the initialisers of the library of that name, which is libpcap or whatever the machine's
        // owner put in its place; libpcap's own do nothing but set variables.
        let library = unsafe { Library::new(name) }.ok()?;
        // SAFETY: these are the types that pcap.h declares for the functions of these names, in every release since 0.9.
        unsafe {
            let version = *library.get::<Version>(b"pcap_lib_version\0").ok()?;
            Some(Self {
                open_dead: *library.get::<OpenDead>(b"pcap_open_dead\0").ok()?,
                compile: *library.get::<Compile>(b"pcap_compile\0").ok()?,
                error: *library.get::<Error>(b"pcap_geterr\0").ok()?,
                free: *library.get::<Free>(b"pcap_freecode\0").ok()?,
                close: *library.get::<Close>(b"pcap_close\0").ok()?,
                version: short_version(&text(version())),
                entered: Mutex::new(()),
                _library: library,
            })
        }
    }

    /// Compiles `expression` for frames of `link_type`; the error is libpcap's own.
    pub(super) fn compile(&self, expression: &str, link_type: LinkType) -> Result<Vec<Instruction>, String> {
        let expression = CString::new(expression).map_err(|_| "it has a NUL character in it".to_owned())?;
        let _only_one = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: takes no pointers. The handle is checked, used on this thread only and closed below.
        let handle = unsafe { (self.open_dead)(dlt(link_type), SNAPLEN) };
        if handle.is_null() {
            return Err("libpcap has no memory".to_owned());
        }
        let mut program = RawProgram { count: 0, instructions: ptr::null_mut() };
        // SAFETY: an open handle, a program to be filled in, and a string that ends with NUL and outlives the call.
        let answer = unsafe { (self.compile)(handle, &mut program, expression.as_ptr(), OPTIMISE, NETMASK_UNKNOWN) };
        let compiled = if answer == 0 && !program.instructions.is_null() {
            // SAFETY: libpcap filled the program in: so many instructions are at that place, until they are freed here.
            let raw = unsafe { slice::from_raw_parts(program.instructions, program.count as usize) };
            let compiled = raw.iter().map(|raw| Instruction { code: raw.code, jt: raw.jt, jf: raw.jf, k: raw.k });
            let compiled = compiled.collect();
            // SAFETY: filled in by libpcap above, freed once, and not looked at any more.
            unsafe { (self.free)(&mut program) };
            Ok(compiled)
        } else {
            // SAFETY: the handle is open; the text lives in it, and is copied before it is closed.
            let told = text(unsafe { (self.error)(handle) });
            Err(told.strip_prefix("can't parse filter expression: ").unwrap_or(&told).to_owned())
        };
        // SAFETY: opened above, closed once.
        unsafe { (self.close)(handle) };
        compiled
    }
}

/// Where to look: the one that the environment names, and no other, or the usual names.
fn names() -> Vec<OsString> {
    match env::var_os(NAMED_BY) {
        Some(name) => vec![name],
        None => NAMES.iter().map(OsString::from).collect(),
    }
}

/// A copy of a C string, in one line.
fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return "no reason given".to_owned();
    }
    // SAFETY: libpcap's strings end with NUL, and nobody changes them while this is copied.
    let text = unsafe { CStr::from_ptr(pointer) }.to_string_lossy();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `libpcap 1.10.3` of `libpcap version 1.10.3 (with TPACKET_V3)`.
fn short_version(long: &str) -> String {
    let number = long.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    number.map_or_else(|| "libpcap".to_owned(), |number| format!("libpcap {}", number.trim_end_matches(',')))
}

/// The number by which programs know a link type, where it differs from that in files.
fn dlt(link_type: LinkType) -> c_int {
    match link_type.0 {
        100 => 11,
        101 => DLT_RAW,
        102 => 15,
        103 => 16,
        106 => 19,
        other => c_int::from(other),
    }
}

/// The variable that names a libpcap in an unusual place.
pub(super) const NAMED_BY: &str = "SYNSCOPE_LIBPCAP";
/// Its names on Linux (Debian and its family keep an old one) and on macOS.
pub(super) const NAMES: [&str; 4] = ["libpcap.so.1", "libpcap.so.0.8", "libpcap.so", "libpcap.dylib"];
/// Longer than any frame: what programs return for a match.
const SNAPLEN: c_int = 0x0004_0000;
const OPTIMISE: c_int = 1;
const NETMASK_UNKNOWN: c_uint = c_uint::MAX;
const DLT_RAW: c_int = if cfg!(target_os = "openbsd") { 14 } else { 12 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_version_is_told_in_two_words() {
        assert_eq!(short_version("libpcap version 1.10.3 (with TPACKET_V3)"), "libpcap 1.10.3");
        assert_eq!(short_version("libpcap version 1.9.1"), "libpcap 1.9.1");
        assert_eq!(short_version("something else"), "libpcap");
    }

    #[test]
    fn a_library_that_is_not_there_or_is_another_is_none() {
        assert!(Libpcap::load(&"libpcap-that-nobody-has.so.77".into()).is_none());
        assert!(Libpcap::load(&"libm.so.6".into()).is_none(), "no such functions in there");
    }

    #[test]
    fn a_libpcap_that_is_there_compiles_and_says_what_it_cannot() {
        let Some(libpcap) = Libpcap::find() else { return eprintln!("no libpcap on this machine: not tried") };
        let program = libpcap.compile("tcp port 80", LinkType::ETHERNET).expect("plain words");
        assert!(program.len() > 5, "{program:?}");
        let error = libpcap.compile("tcp prt 80", LinkType::ETHERNET).expect_err("no such word");
        assert!(error.contains("syntax error"), "{error}");
        assert!(libpcap.compile("tcp\0", LinkType::ETHERNET).is_err());
    }
}
