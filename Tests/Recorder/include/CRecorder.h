// What Tests/Recorder/Recorder.c writes: see there. The reader is Tests/Torture/Trace.swift.
#ifndef CAIRN_RECORDER_H
#define CAIRN_RECORDER_H

#include <stdint.h>

/// Before each record: its sort, the lengths of the two byte strings that follow, and two numbers.
struct cairn_record {
  uint8_t sort;
  uint8_t reserved[3];
  uint32_t first_length;
  uint32_t second_length;
  int64_t number;
  int64_t position;
} __attribute__((packed));

#endif
