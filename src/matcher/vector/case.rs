//! ASCII letters in lower case.

/// Appends bytes with ASCII letters in lower case, and says whether all of them are ASCII.
pub(crate) fn push_lower(bytes: &[u8], lower: &mut Vec<u8>) -> bool {
    #[cfg(target_arch = "x86_64")]
    if super::has_avx2() {
        // SAFETY: the processor has the instructions.
        return unsafe { avx2::push_lower(bytes, lower) };
    }
    lower.extend(bytes.iter().map(u8::to_ascii_lowercase));
    bytes.is_ascii()
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_cmpgt_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8, _mm256_setzero_si256, _mm256_storeu_si256,
    };

    /// Bytes in one register.
    const LANES: usize = 32;

    #[target_feature(enable = "avx2")]
    pub(super) fn push_lower(bytes: &[u8], lower: &mut Vec<u8>) -> bool {
        let start = lower.len();
        lower.extend_from_slice(bytes);
        let new = &mut lower[start..];
        let mut seen = _mm256_setzero_si256();
        for block in new.as_chunks_mut().0 {
            seen = _mm256_or_si256(seen, lower_block(block));
        }
        // What is left, with as much of the last block as makes one: what is in lower case stays so.
        let Some(block) = new.last_chunk_mut() else {
            new.make_ascii_lowercase();
            return bytes.is_ascii();
        };
        seen = _mm256_or_si256(seen, lower_block(block));
        // The highest bit of each byte.
        _mm256_movemask_epi8(seen) == 0
    }

    /// Puts a block into lower case, and gives what it was.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn lower_block(block: &mut [u8; LANES]) -> __m256i {
        let place = block.as_mut_ptr().cast();
        // SAFETY: as many bytes are read as the block has; the instruction wants no alignment.
        let bytes = unsafe { _mm256_loadu_si256(place) };
        let from = _mm256_cmpgt_epi8(bytes, _mm256_set1_epi8((b'A' - 1).cast_signed()));
        let to = _mm256_cmpgt_epi8(_mm256_set1_epi8((b'Z' + 1).cast_signed()), bytes);
        let case = _mm256_and_si256(_mm256_and_si256(from, to), _mm256_set1_epi8(0x20));
        // SAFETY: as many bytes are written as the block has.
        unsafe { _mm256_storeu_si256(place, _mm256_or_si256(bytes, case)) };
        bytes
    }
}
