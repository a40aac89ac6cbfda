-- Megabits per second each way; 0 is unlimited.
ALTER TABLE computers ADD COLUMN bandwidth_mbps BIGINT NOT NULL DEFAULT 0;
