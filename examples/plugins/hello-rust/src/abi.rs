//! The part of davit's C ABI that this plugin uses, written down by hand from davit/*.h. `#[repr(C)]` gives the same
//! layout as a C compiler; fields that are not used but stand before used ones must be here too.
#![allow(dead_code)]

use core::ffi::c_void;

pub type Status = i32;
pub const OK: Status = 0;
pub const INTERNAL: Status = 9;
pub const STREAM_RESULT: u32 = 1;
pub const LOG_INFO: i32 = 1;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub data: *const u8,
    pub size: u64,
}

impl Str {
    pub const fn from(text: &'static str) -> Str {
        Str { data: text.as_ptr(), size: text.len() as u64 }
    }
    pub fn borrow(bytes: &[u8]) -> Str {
        Str { data: bytes.as_ptr(), size: bytes.len() as u64 }
    }
    /// # Safety
    /// The text must outlive the result: it does for the duration of the call that brought it.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.size == 0 {
            return &[];
        }
        core::slice::from_raw_parts(self.data, self.size as usize)
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Strs {
    pub data: *const Str,
    pub size: u64,
}

#[repr(C)]
pub struct Kvs {
    pub data: *const c_void,
    pub size: u64,
}

#[repr(C)]
pub struct Call {
    pub struct_size: u32,
    pub flags: u32,
    pub host_data: *mut c_void,
    pub actor: Str,
    pub app: Str,
    pub deployment: Str,
    pub deadline_mono_ms: i64,
    pub fail: extern "C" fn(*const Call, Str, Str, Str),
    pub get_error: extern "C" fn(*const Call, *const c_void),
    pub output: extern "C" fn(*const Call, u32, Str) -> Status,
    pub progress: extern "C" fn(*const Call, Str, u64, u64, Str),
    pub log: extern "C" fn(*const Call, i32, Str),
    pub cancelled: extern "C" fn(*const Call) -> i32,
}

#[repr(C)]
pub struct Descriptor {
    pub struct_size: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub flags: u32,
    pub id: Str,
    pub version: Str,
    pub create: extern "C" fn(*const c_void, *const Call, *mut *mut c_void) -> Status,
    pub start: extern "C" fn(*mut c_void, *const Call) -> Status,
    pub stop: extern "C" fn(*mut c_void, *const Call),
    pub destroy: extern "C" fn(*mut c_void),
    pub get_interface: extern "C" fn(*mut c_void, Str) -> *const c_void,
}

#[repr(C)]
pub struct Command {
    pub struct_size: u32,
    pub reserved: u32,
    pub name: Str,
    pub args: Strs,
    pub flags: Kvs,
    pub fds: [i32; 3],
    pub reserved2: u32,
}

#[repr(C)]
pub struct Commands {
    pub struct_size: u32,
    pub reserved: u32,
    pub run: extern "C" fn(*mut c_void, *const Call, *const Command, *mut i32) -> Status,
}

#[repr(C)]
pub struct Event {
    pub struct_size: u32,
    pub kind: u32,
    pub id: Str,
    pub payload: *const c_void,
    pub facts: Kvs,
}

#[repr(C)]
pub struct DeployEvent {
    pub struct_size: u32,
    pub status: Status,
    pub app: Str,
    pub kind: Str,
    pub state: Str,
}

#[repr(C)]
pub struct Hooks {
    pub struct_size: u32,
    pub reserved: u32,
    pub handle: extern "C" fn(*mut c_void, *const Call, *const Event) -> Status,
    pub prepare: *const c_void, // no steps in the note: NULL is allowed
    pub apply: *const c_void,
    pub undo: *const c_void,
}

// The tables and the descriptor are constants that only point at code and text.
unsafe impl Sync for Descriptor {}
unsafe impl Sync for Commands {}
unsafe impl Sync for Hooks {}
