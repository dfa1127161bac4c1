/** As much of nodemailer as we use: it brings no types of its own. */
declare module 'nodemailer' {
  interface Message {
    from: string;
    to: string;
    subject: string;
    text: string;
    disableFileAccess: boolean;
    disableUrlAccess: boolean;
  }
  interface Transport {
    sendMail(message: Message): Promise<unknown>;
  }
  const nodemailer: { createTransport(options: object): Transport };
  export default nodemailer;
}
