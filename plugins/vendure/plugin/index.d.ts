/** Add it to `plugins` in vendure-config.ts; `frontispiece connect` tells it where to send and with which secret. */
export declare class FrontispiecePlugin {}
