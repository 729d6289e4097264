/** Numbers of the accessors (index in ACCESSORS), as constants for the switches of this folder. */
export const GET_AVAIL_IDX = 1;
export const GET_AVAIL_HEAD = 2;
export const GET_AVAIL_FLAGS = 3;
export const GET_USED_EVENT = 4;
export const GET_USED_IDX = 5;
export const GET_DESC = 6;
export const PUT_AVAIL_EVENT = 7;
export const PUT_USED = 8;
export const PUT_USED_FLAGS = 9;
export const PUT_USED_IDX = 10;
