//! Memory. A request takes and gives back some two hundred small pieces; the allocator of the standard library is built for size,
//! and each of them would take a walk through its bins. So the last few pieces of each small size are kept at hand, and given out
//! again first; everything else goes on to the standard library's allocator.
//!
//! What is kept is bounded ([`KEPT`] pieces of each size: 270 KB at most), because the memory of a VM never shrinks.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;

/// How far the sizes that are kept are apart: `malloc` knows no others, and takes [`OVERHEAD`] of each for itself.
const STEP: usize = 16;

/// What is not the caller's of each step.
const OVERHEAD: usize = 4;

/// The strictest alignment of what is kept: what `malloc` gives without being asked.
const ALIGN: usize = 8;

/// The largest size that is kept.
const LARGEST: usize = 512 - OVERHEAD;

/// How many sizes.
const SHELVES: usize = place(LARGEST) + 1;

/// How many pieces of each size.
const KEPT: usize = 32;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator(UnsafeCell::new([const { Shelf::EMPTY }; SHELVES]));

struct Allocator(UnsafeCell<[Shelf; SHELVES]>);

/// Pieces of one size.
struct Shelf {
    pieces: [*mut u8; KEPT],
    count: usize,
}

#[expect(unsafe_code, reason = "a wasm module without threads has one thread")]
unsafe impl Sync for Allocator {}

// === impl Shelf ===

impl Shelf {
    const EMPTY: Self = Self { pieces: [std::ptr::null_mut(); KEPT], count: 0 };
}

// === impl Allocator ===

impl Allocator {
    /// The shelf of a size; none where pieces of it are not kept.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "an allocator has only this, and one thread")]
    fn shelf(&self, layout: Layout) -> Option<&mut Shelf> {
        if layout.size() > LARGEST || layout.align() > ALIGN {
            return None;
        }
        #[expect(unsafe_code, reason = "nobody holds a shelf when another is asked for: no call below gets back here")]
        let shelves = unsafe { &mut *self.0.get() };
        shelves.get_mut(place(layout.size()))
    }
}

/// Which shelf is that of a size.
#[inline(always)]
const fn place(size: usize) -> usize {
    (size + OVERHEAD - 1) / STEP
}

/// What a piece of this size really is: as large as all of its shelf.
#[inline(always)]
fn rounded(layout: Layout) -> Layout {
    let size = place(layout.size()) * STEP + STEP - OVERHEAD;
    #[expect(unsafe_code, reason = "the size is 512 at most, and the alignment a power of two")]
    unsafe {
        Layout::from_size_align_unchecked(size, ALIGN)
    }
}

#[expect(unsafe_code, reason = "the trait is unsafe: pieces come from, and go back to, the standard library's allocator")]
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(shelf) = self.shelf(layout) else { return unsafe { System.alloc(layout) } };
        let last = shelf.count.wrapping_sub(1);
        match shelf.pieces.get(last) {
            Some(piece) => {
                shelf.count = last;
                *piece
            }
            None => unsafe { System.alloc(rounded(layout)) },
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        let Some(shelf) = self.shelf(layout) else { return unsafe { System.dealloc(piece, layout) } };
        match shelf.pieces.get_mut(shelf.count) {
            Some(place) => {
                *place = piece;
                shelf.count += 1;
            }
            None => unsafe { System.dealloc(piece, rounded(layout)) },
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else { return std::ptr::null_mut() };
        match (self.shelf(layout).is_some(), self.shelf(wanted).is_some()) {
            (true, true) if place(size) == place(layout.size()) => return piece,
            // What is cut off goes back, and the rest stays where it is.
            (true, true) if size < layout.size() => {
                return unsafe { System.realloc(piece, rounded(layout), rounded(wanted).size()) };
            }
            (false, false) => return unsafe { System.realloc(piece, layout, size) },
            _ => {}
        }
        let new = unsafe { self.alloc(wanted) };
        if !new.is_null() {
            unsafe { std::ptr::copy_nonoverlapping(piece, new, layout.size().min(size)) };
            unsafe { self.dealloc(piece, layout) };
        }
        new
    }
}
