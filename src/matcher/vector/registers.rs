//! What the vector code shares: bytes into registers.

use std::arch::x86_64::{__m256i, _mm_loadu_si128, _mm256_broadcastsi128_si256, _mm256_loadu_si256};

/// Bytes in one register.
pub(super) const BYTES: usize = 32;

/// The bytes from a place on.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn load(bytes: &[u8], at: usize) -> __m256i {
    let bytes = &bytes[at..at + BYTES];
    // SAFETY: as many bytes are read as the slice has; the instruction wants no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// A table in both halves of a register.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn twice(table: &[u8; 16]) -> __m256i {
    // SAFETY: as many bytes are read as the table has; the instruction wants no alignment.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
}
