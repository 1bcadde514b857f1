//! hello-rust: a davit plugin as a cdylib without crates. One command, one notice. No panic leaves it.

mod abi;

use abi::*;
use core::ffi::c_void;
use std::mem::size_of;
use std::panic::catch_unwind;

const TOML: &[u8] = include_bytes!("../plugin.toml");
const PADDED: usize = TOML.len().div_ceil(4) * 4;

/// The ELF note that davit reads without loading this file: see davit/note.h.
#[repr(C, align(4))]
pub struct Note {
    name_size: u32,
    text_size: u32,
    kind: u32,
    name: [u8; 8],
    text: [u8; PADDED],
}

const fn padded() -> [u8; PADDED] {
    let mut out = [0; PADDED];
    let mut i = 0;
    while i < TOML.len() {
        out[i] = TOML[i];
        i += 1;
    }
    out
}

#[used]
#[link_section = ".note.davit"]
pub static NOTE: Note =
    Note { name_size: 6, text_size: TOML.len() as u32, kind: 1, name: *b"davit\0\0\0", text: padded() };

/// Runs a plugin's code; a panic becomes a status and an error.
fn guard(call: *const Call, work: impl FnOnce(&Call) -> Status) -> Status {
    let call = unsafe { &*call };
    match catch_unwind(std::panic::AssertUnwindSafe(|| work(call))) {
        Ok(status) => status,
        Err(_) => {
            (call.fail)(call, Str::from("internal"), Str::from("hello-rust panicked"), Str::from(""));
            INTERNAL
        }
    }
}

extern "C" fn run(_plugin: *mut c_void, call: *const Call, command: *const Command, exit_code: *mut i32) -> Status {
    guard(call, move |call| {
        let args = unsafe { (*command).args };
        let who = if args.size == 0 { b"world".as_slice() } else { unsafe { (*args.data).bytes() } };
        let line = [b"Hello, ", who, b"!\n"].concat();
        unsafe { *exit_code = 0 };
        (call.output)(call, STREAM_RESULT, Str::borrow(&line))
    })
}

extern "C" fn handle(_plugin: *mut c_void, call: *const Call, event: *const Event) -> Status {
    guard(call, move |call| {
        let event = unsafe { &*event };
        if unsafe { event.id.bytes() } == b"deploy.finished" && !event.payload.is_null() {
            let deploy = unsafe { &*(event.payload as *const DeployEvent) };
            let line = unsafe { [deploy.app.bytes(), b": ", deploy.state.bytes()] }.concat();
            (call.log)(call, LOG_INFO, Str::borrow(&line));
        }
        OK // an event that is not known is fine
    })
}

extern "C" fn create(_host: *const c_void, _call: *const Call, plugin: *mut *mut c_void) -> Status {
    // The standard hook of a panic writes to fd 2, which is not ours; guard() reports it instead.
    std::panic::set_hook(Box::new(|_| {}));
    unsafe { *plugin = Box::into_raw(Box::new(0u8)) as *mut c_void };
    OK
}

extern "C" fn start(_plugin: *mut c_void, _call: *const Call) -> Status {
    OK
}

extern "C" fn stop(_plugin: *mut c_void, _call: *const Call) {}

extern "C" fn destroy(plugin: *mut c_void) {
    drop(unsafe { Box::from_raw(plugin as *mut u8) });
}

extern "C" fn get_interface(_plugin: *mut c_void, id: Str) -> *const c_void {
    match unsafe { id.bytes() } {
        b"davit.commands/1" => &COMMANDS as *const Commands as *const c_void,
        b"davit.hooks/1" => &HOOKS as *const Hooks as *const c_void,
        _ => std::ptr::null(),
    }
}

static COMMANDS: Commands = Commands { struct_size: size_of::<Commands>() as u32, reserved: 0, run };
static HOOKS: Hooks = Hooks {
    struct_size: size_of::<Hooks>() as u32,
    reserved: 0,
    handle,
    prepare: std::ptr::null(),
    apply: std::ptr::null(),
    undo: std::ptr::null(),
};

static DESCRIPTOR: Descriptor = Descriptor {
    struct_size: size_of::<Descriptor>() as u32,
    abi_major: 1,
    abi_minor: 0,
    flags: 0,
    id: Str::from("hello-rust"),
    version: Str::from("0.1.0"),
    create,
    start,
    stop,
    destroy,
    get_interface,
};

#[no_mangle]
pub extern "C" fn davit_plugin_v1() -> *const Descriptor {
    &DESCRIPTOR
}
