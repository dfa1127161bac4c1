/** End-of-batch mail: through the SMTP server that the environment names, or else this machine's sendmail. */
import nodemailer from 'nodemailer';

export interface Mail {
  /** Addresses, comma between two. */
  readonly to: string;
  readonly subject: string;
  /** Undefined: the user at this machine. */
  readonly from: string | undefined;
  readonly text: string;
}

/**
 * `LOGOBATCH_SMTP` is a URL such as `smtps://user:password@mail.example.org:465`; without it `sendmail` is run, which
 * `LOGOBATCH_SENDMAIL` may name. Returns why it failed, or undefined.
 */
export async function sendMail(mail: Mail, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { LOGOBATCH_SMTP: smtp, LOGOBATCH_SENDMAIL: sendmail } = env;
  const transport = smtp
    ? nodemailer.createTransport({
        url: smtp,
        connectionTimeout: 20_000,
        greetingTimeout: 20_000,
        socketTimeout: 60_000,
      })
    : nodemailer.createTransport({ sendmail: true, path: sendmail ?? '/usr/sbin/sendmail', newline: 'unix' });
  try {
    // No text of a job may name a file or an address for the mailer to fetch.
    await transport.sendMail({
      from: mail.from ?? `LogoBatch <${env.LOGNAME ?? env.USER ?? 'logobatch'}@localhost>`,
      to: mail.to,
      subject: mail.subject,
      text: mail.text,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (smtp || !why.includes('ENOENT')) return why;
    return `there is no ${sendmail ?? '/usr/sbin/sendmail'} here; LOGOBATCH_SMTP=smtps://USER:PASSWORD@HOST:465 names a server instead`;
  }
}
